//! What is kept in the data directory, read and written off the loop.

use std::path::Path;

use jiff::Timestamp;
use tokio::runtime::Handle;

use crate::app::action::Action;
use crate::app::event::{Event, Notice};
use crate::app::kept::{Keep, Kept};
use crate::call::{Call, Id, Request};
use crate::config::Filled;
use crate::recording::fixtures;
use crate::replay::template::{self, Values};
use crate::replay::variables::Variables;
use crate::tui::world::{Busy, Message, World};

impl World {
    /// Does it. What there is to tell comes first, what is kept then last.
    pub(super) fn keep(&self, keep: Keep, busy: Busy) {
        let (events, data, filled) = (self.events.clone(), self.data.clone(), self.filled.clone());
        Handle::current().spawn_blocking(move || {
            let told = match data.as_deref() {
                Some(data) => perform(data, keep, &filled),
                None if keep == Keep::Refresh => Ok((None, Kept::Variables(Variables::default()))),
                None => Err("there is no data directory to keep anything in: HOOKTAPE_DATA names one".to_owned()),
            };
            let (notice, kept) = match told {
                Ok((notice, kept)) => (notice, Some(kept)),
                Err(error) => (Some(Notice::error(error)), None),
            };
            for event in notice.map(Event::Told).into_iter().chain(kept.map(Event::Kept)) {
                let _ = events.send(event.into());
            }
            let _ = events.send(Message::last(Event::Resized, busy));
        });
    }
}

fn perform(data: &Path, keep: Keep, filled: &Filled) -> Result<(Option<Notice>, Kept), String> {
    let path = Variables::path(data);
    match keep {
        Keep::Variables | Keep::Refresh => Ok((None, Kept::Variables(Variables::load(&path)?))),
        Keep::Register(call, redaction) => {
            let (known, names) = Variables::update(&path, |known| Ok(known.register(&call, &redaction)))?;
            if names.is_empty() {
                let notice = Notice::warning("the answer holds nothing under context or output that could be kept");
                return Ok((Some(notice), Kept::Variables(known)));
            }
            let notice =
                Notice::info(format!("known from now on: {}", names.join(", "))).key(Action::Variables, "lists them");
            Ok((Some(notice), Kept::Variables(known)))
        }
        Keep::Forget(name) => {
            let (known, _) = Variables::update(&path, |known| Ok(known.remove(&name)))?;
            Ok((Some(Notice::info(format!("{name} is forgotten"))), Kept::Variables(known)))
        }
        Keep::Fixtures => Ok((None, Kept::Fixtures(fixtures::list(data)?))),
        Keep::Save { name, call, replace: false } if fixtures::exists(data, &name) => {
            Ok((None, Kept::Taken(name, call)))
        }
        Keep::Save { name, call, .. } => {
            fixtures::save(data, &name, &Call { id: Id::fresh(), ..*call })?;
            let notice = Notice::info(format!("kept as {name}: `hooktape send fixture:{name}` sends it"))
                .key(Action::Fixtures, "lists fixtures");
            Ok((Some(notice), Kept::Fixtures(fixtures::list(data)?)))
        }
        Keep::Remove(name) => {
            fixtures::remove(data, &name)?;
            Ok((Some(Notice::info(format!("{name} is removed"))), Kept::Fixtures(fixtures::list(data)?)))
        }
        Keep::Fill { ticket, request } => {
            let result = fill(&path, *request, filled).map(Box::new);
            Ok((None, Kept::Filled { ticket, result }))
        }
    }
}

fn fill(variables: &Path, mut request: Request, filled: &Filled) -> Result<Request, String> {
    let environment = |name: &str| filled.variable(name);
    let values = Values { now: Timestamp::now(), variables: &Variables::load(variables)?, environment: &environment };
    template::fill(&mut request, &values)?;
    Ok(request)
}
