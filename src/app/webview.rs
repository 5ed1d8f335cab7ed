//! A page opened by hand: the address that the platform would open it by, and the wait for its callback.

use url::Url;

use crate::app::action::Action;
use crate::app::conversation::Conversation;
use crate::app::dialog::Dialog;
use crate::app::dialog_keys::{Choice, picked};
use crate::app::event::{Effect, Notice, Wanted};
use crate::app::flow::Flow;
use crate::app::prompt::Ask;
use crate::app::shown::{Shown, Tab};
use crate::app::{App, Focus};
use crate::config::{self, Wait, parse_duration};
use crate::net::{base_url, is_ourselves};
use crate::platform::{Kind, Opening};

/// A page that is opened by hand.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The kind of its opening.
    pub kind: String,
    /// The address as the platform builds it, and what comes of opening it.
    pub opening: Opening,
    /// Where it calls back: method and path.
    pub callback: Option<(String, String)>,
    /// What came so far.
    pub flow: Flow,
}

impl App {
    /// The kinds that open a page.
    #[must_use]
    pub fn page_kinds(&self) -> Vec<&Kind> {
        self.setup.platforms.kinds().filter(|kind| kind.opens_a_page()).collect()
    }

    pub(super) fn pages_key(&mut self, action: Option<Action>, mut selected: usize) -> Vec<Effect> {
        match picked(action, &mut selected, self.page_kinds().len()) {
            Choice::Leave => {}
            Choice::Take => self.ask_page(selected),
            Choice::Stay => self.dialogs.push(Dialog::Pages { selected }),
        }
        Vec::new()
    }

    pub(super) fn webview_key(&mut self, action: Option<Action>, launch: Box<Launch>) -> Vec<Effect> {
        let (kind, url) = (launch.kind.clone(), launch.opening.url.clone());
        match action {
            Some(Action::Back | Action::Quit) => return Vec::new(),
            Some(Action::Open) if self.go_to_callback(&launch) => return Vec::new(),
            _ => self.dialogs.push(Dialog::Webview { launch }),
        }
        match action {
            Some(Action::CopyUrl) => return vec![Effect::Copy(url)],
            Some(Action::WaitFor) => self.ask_expiration(&kind),
            _ => {}
        }
        Vec::new()
    }

    /// Asks for the page of the kind that was chosen; offers the listener's own.
    fn ask_page(&mut self, number: usize) {
        let Some(kind) = self.page_kinds().get(number).map(|kind| kind.name.clone()) else { return };
        let own = self.setup.listener.map(|address| format!("{}/webview", base_url(address)));
        self.prompt(Ask::Page(kind), &own.unwrap_or_default());
    }

    /// Opens the page's dialog, and has the page served where it is our own.
    ///
    /// # Errors
    /// A sentence: why `page` is no page's address.
    pub(super) fn open_page(&mut self, kind: &str, page: &str) -> Result<Vec<Effect>, String> {
        let launch = self.launch(kind, page)?;
        let page = launch.opening.is_its_own.then(|| launch.opening.request.target.clone());
        self.dialogs.push(Dialog::Webview { launch: Box::new(launch) });
        Ok(page.map(Effect::HandOut).into_iter().collect())
    }

    /// Builds the page's address for a conversation that nobody had yet, and waits.
    ///
    /// # Errors
    /// A sentence: why `page` is no page's address.
    fn launch(&self, kind: &str, page: &str) -> Result<Launch, String> {
        let platforms = &self.setup.platforms;
        let kind = platforms.kind(kind).ok_or("no platform has such a kind")?;
        let opening = kind.open_page(page.trim(), &(self.setup.new_key)(), &[])?;
        let flow = opening.conversation.as_deref().and_then(|key| Flow::of(platforms, kind, key));
        let callback = platforms.page_call(kind, &opening.request);
        let callback = callback.map(|call| (call.request.method, call.request.target));
        let flow = flow.ok_or("no page of this kind calls back")?;
        Ok(Launch { kind: kind.name.clone(), opening, callback, flow })
    }

    /// Whether the page is one that our listener serves, so that its opening is seen.
    #[must_use]
    pub fn serves(&self, url: &str) -> bool {
        let url = Url::parse(url).ok();
        url.zip(self.setup.listener).is_some_and(|(url, address)| is_ourselves(&url, address))
    }

    /// Selects the callback that ended the wait, else the last call of the flow that there is.
    fn go_to_callback(&mut self, launch: &Launch) -> bool {
        let wait = launch.flow.wait(self.now);
        let ended = wait.and_then(|wait| {
            let ended = wait.callbacks.iter().find(|callback| Some(callback.at) == wait.ended);
            ended.or(wait.callbacks.last()).map(|callback| callback.call)
        });
        let Some(number) = ended.and_then(|id| self.index.row_of(id)) else {
            self.tell(Notice::info("no callback has come yet"));
            return false;
        };
        self.go_to(number);
        self.focus = Focus::Detail;
        self.show_tab(Tab::Envelope);
        true
    }

    /// How a flow waits for the page that a call of `kind` opens.
    #[must_use]
    pub fn wait(&self, kind: &str) -> Option<&Wait> {
        self.waits.iter().find(|wait| wait.kind == kind)
    }

    /// Asks how long a flow waits for the page that a call of `kind` opens.
    pub(super) fn ask_expiration(&mut self, kind: &str) {
        let now = self.wait(kind).and_then(|wait| wait.expires);
        let now = now.map_or_else(String::new, config::written);
        self.prompt(Ask::Expiration(kind.to_owned()), &now);
    }

    /// Asks so for the selected call's flow.
    pub(super) fn ask_shown_expiration(&mut self) {
        let flow = self.shown.as_ref().and_then(|shown| shown.flow.as_ref());
        match flow.map(|flow| flow.opening.clone()) {
            Some(kind) => self.ask_expiration(&kind),
            None => self.tell(Notice::info("no flow waits for this call")),
        }
    }

    /// Sets how long a flow waits for the page that a call of `kind` opens; nothing typed: for ever.
    ///
    /// # Errors
    /// A sentence: why `text` is no time.
    pub(super) fn set_expiration(&mut self, kind: &str, text: &str) -> Result<(), String> {
        let text = text.trim();
        let seconds = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let expires = match text {
            "" => None,
            _ if seconds => Some(parse_duration(&format!("{text}s"))?),
            _ => Some(parse_duration(text)?),
        };
        match self.waits.iter_mut().find(|wait| wait.kind == kind) {
            Some(wait) => wait.expires = expires,
            None => self.waits.push(Wait { kind: kind.to_owned(), expires, message: None, variable: None }),
        }
        self.expire_anew();
        Ok(())
    }

    /// How long flows wait is another time now.
    pub(super) fn expire_anew(&mut self) {
        self.flows().for_each(Flow::expires_anew);
        self.conversation.iter_mut().for_each(Conversation::expires_anew);
    }

    /// Every flow that is on the screen.
    pub(super) fn flows(&mut self) -> impl Iterator<Item = &mut Flow> {
        flows(&mut self.dialogs, &mut self.shown)
    }

    /// Brings the flows up to date; gives what must be read for them.
    pub(super) fn follow_flows(&mut self) -> Vec<Wanted> {
        let Self { index, cache, dialogs, shown, setup, waits, now, .. } = self;
        let mut missing = Vec::new();
        for flow in flows(dialogs, shown) {
            missing.extend(flow.follow(index, cache));
            let limit = waits.iter().find(|wait| wait.kind == flow.opening).and_then(|wait| wait.expires);
            flow.settle(&setup.platforms, limit, *now);
        }
        missing
    }

    /// Whether a time that is on the screen runs down.
    #[must_use]
    pub fn counts_down(&self) -> bool {
        let shown = self.shown.as_ref().and_then(|shown| shown.flow.as_ref());
        let launched = self.dialogs.iter().find_map(|dialog| match dialog {
            Dialog::Webview { launch } => Some(&launch.flow),
            _ => None,
        });
        let timeline = self.conversation.as_ref().filter(|_| self.tab == Tab::Conversation);
        shown.into_iter().chain(launched).any(Flow::counts_down) || timeline.is_some_and(Conversation::counts_down)
    }
}

/// The flows of the dialogs and of the selected call.
fn flows<'a>(dialogs: &'a mut [Dialog], shown: &'a mut Option<Shown>) -> impl Iterator<Item = &'a mut Flow> {
    let launched = dialogs.iter_mut().filter_map(|dialog| match dialog {
        Dialog::Webview { launch } => Some(&mut launch.flow),
        _ => None,
    });
    launched.chain(shown.as_mut().and_then(|shown| shown.flow.as_mut()))
}
