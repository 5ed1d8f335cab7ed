//! A configuration that changed while the screen is open: what can be taken over at once is.

use std::sync::Arc;

use crate::app::action::Action;
use crate::app::answering::{Answering, Purpose};
use crate::app::dialog::Dialog;
use crate::app::event::{Effect, Notice};
use crate::app::keymap::Keymap;
use crate::app::prompt::{Ask, Prompt};
use crate::app::{App, Setup, sending};
use crate::config::{Carriers, Config, Forward, Redact, Source, Target};
use crate::net::responder::{Responders, Slot, Whose};
use crate::recording::Redaction;
use crate::replay::compare::Rules;

/// The sections that have changed and are built into what runs already.
fn needing_restart(loaded: &Config, before: &Config) -> Vec<&'static str> {
    // Names of headers come from targets, carriers from packs.
    let own = |redact: &Redact| Redact { referenced: Vec::new(), carriers: Carriers::default(), ..redact.clone() };
    let same = [
        ("[listen]", loaded.listen == before.listen),
        ("[record]", loaded.record == before.record),
        ("[redact]", own(&loaded.redact) == own(&before.redact)),
        ("[secrets]", loaded.secrets == before.secrets),
        ("[issuers]", loaded.issuers == before.issuers),
    ];
    same.into_iter().filter(|(_, same)| !same).map(|(name, _)| name).collect()
}

/// The new configuration with those sections as they were.
fn taken_over(loaded: &Config, before: &Config) -> Config {
    // What a target has got by reference stays secret where the target is no more: calls that were sent there have it.
    let mut redact = before.redact.clone();
    let new = loaded.redact.referenced.iter().filter(|name| !before.redact.referenced.contains(name));
    redact.referenced.extend(new.cloned());
    Config {
        listen: before.listen.clone(),
        record: before.record.clone(),
        redact,
        secrets: before.secrets.clone(),
        issuers: before.issuers.clone(),
        ..loaded.clone()
    }
}

impl App {
    /// Takes over colours, keys, targets, waits, routes, what answers and what is no difference. What went wrong is said, and
    /// all stays as it was.
    pub(super) fn configured(&mut self, loaded: Result<Arc<Config>, String>) -> Vec<Effect> {
        let loaded = loaded.and_then(|config| {
            let keymap = Keymap::new(&config.keys).map_err(|error| error.to_string())?;
            Ok((config, keymap))
        });
        let (loaded, keymap) = match loaded {
            Ok(loaded) => loaded,
            Err(reason) => {
                // One on each line: the log has them all, and what is seen at once is the first.
                for reason in reason.lines().rev() {
                    self.tell(Notice::error(format!("the configuration stays as it was: {reason}")));
                }
                return Vec::new();
            }
        };
        let before = self.setup.config.clone();
        let restart = needing_restart(&loaded, &before);
        let config = Arc::new(taken_over(&loaded, &before));
        self.keymap = keymap;
        self.setup.config = config.clone();
        if config.targets != before.targets {
            self.setup.keyring = Arc::new((*self.setup.keyring).clone().knowing(&config.targets));
            self.retarget(&before);
            // What calls were sent to may have another name now.
            self.cache.forget_texts();
        }
        if config.redact != before.redact {
            self.redaction = Redaction::new(&config.redact).ok().map(Arc::new);
            if self.masked {
                self.mask_anew();
            }
        }
        if config.compare != before.compare && self.rules == Rules::configured(&before.compare) {
            // What was ignored by hand stays, until the key that takes it back.
            self.rules = Rules::configured(&config.compare);
        }
        if config.waits != before.waits {
            self.waits.clone_from(&config.waits);
            self.expire_anew();
        }
        if (&config.routes, &config.targets) != (&before.routes, &before.targets) {
            // What it is worth, and what the platform makes of its answer, may be something else now.
            (self.shown, self.preparing) = (None, None);
        }
        // A signature that is shown may be made with another secret now.
        self.draft.iter_mut().for_each(|draft| draft.facts = None);
        let mut effects = vec![Effect::Configure(config.clone())];
        effects.extend(self.answer_anew(&before));
        if config.targets != before.targets {
            effects.extend(self.forward_anew(&before));
        }
        let name = config.file.as_ref().and_then(|file| file.file_name());
        let file = name.map_or("the configuration".into(), |name| name.to_string_lossy());
        self.tell(if restart.is_empty() {
            Notice::info(format!("{file} has changed: taken over"))
        } else {
            Notice::warning(format!("{file} has changed: taken over, but for {} (restart)", restart.join(", ")))
        });
        effects
    }

    /// What answers by the new configuration, where that says something else than before. What was said by hand of a kind stays,
    /// and of a route for which the file says what it said.
    fn answer_anew(&mut self, before: &Config) -> Option<Effect> {
        let config = &self.setup.config;
        let answers = |config: &Config| (config.respond.clone(), config.routes.clone(), config.replies.clone());
        if self.setup.listener.is_none() || answers(config) == answers(before) {
            return None;
        }
        let slots = &self.answers.slots;
        let by_hand = slots.iter().filter(|slot| matches!(slot.whose, Whose::Kind(_)));
        let said = Responders::configured(before);
        let now = |slot: Slot| match slots.iter().find(|known| known.whose == slot.whose) {
            Some(known) if said.contains(&slot) => known.clone(),
            _ => slot,
        };
        let slots = by_hand.cloned().chain(Responders::configured(config).into_iter().map(now)).collect();
        self.reslot(slots);
        Some(Effect::Respond(self.answers.slots.clone()))
    }

    /// The targets of the new configuration; those that were typed in stay, and the chosen one where it is still there.
    fn retarget(&mut self, before: &Config) {
        let chosen = self.target().cloned();
        // What stands in a list of them; none: an address to be typed.
        let listing = |app: &Self| -> Vec<Option<Target>> {
            let there = |choice: Option<usize>| app.targets.get(choice?).cloned();
            app.target_choices().into_iter().map(there).collect()
        };
        let listed = listing(self);
        let known = targets(&self.setup);
        let typed = self.targets.drain(..).filter(|target| {
            before.target(&target.name).is_none() && known.iter().all(|known| known.name != target.name)
        });
        let typed: Vec<Target> = typed.map(|target| target.guarded_with(&known)).collect();
        self.targets = known.into_iter().chain(typed).collect();
        let now = listing(self);
        self.dialogs.retain_mut(|dialog| {
            let Dialog::Targets { selected, .. } = dialog else { return true };
            // A key that is on its way must not mean another one.
            let place = listed.get(*selected).and_then(|was| same(&now, was.as_ref()));
            *selected = place.unwrap_or(0);
            place.is_some()
        });
        match chosen {
            // With the first targets it is as at the start.
            None => self.target = before.targets.is_empty().then_some(0),
            Some(chosen) => {
                let now: Vec<Option<Target>> = self.targets.iter().cloned().map(Some).collect();
                let name = chosen.name.clone();
                self.target = same(&now, Some(&chosen));
                if self.target.is_none() {
                    // To take another one in its place would send the next call where nobody meant it to go.
                    let told = Notice::warning(format!("the target {name} is no longer configured: none is chosen"));
                    self.tell(told.key(Action::Target, "chooses one"));
                }
            }
        }
    }

    /// Has what is forwarded by hand go to the targets as they are now; what one that is gone has got is answered as usual.
    fn forward_anew(&mut self, before: &Config) -> Option<Effect> {
        let config = self.setup.config.clone();
        let mut gone = Vec::new();
        let mut slots = self.answers.slots.clone();
        for respond in slots.iter_mut().map(|slot| &mut slot.respond) {
            let Source::Forward(forward) = &respond.source else { continue };
            let now = |target: &Target| {
                let was_configured = before.target(&target.name) == Some(target);
                // What asks before it sends is not forwarded to.
                let now = config.target(&target.name).filter(|target| !target.guard).cloned();
                if was_configured { now.ok_or_else(|| target.name.clone()) } else { Ok(target.clone()) }
            };
            let targets: Result<Vec<Target>, String> = forward.targets.iter().map(now).collect();
            respond.source = match targets {
                Ok(targets) => Source::Forward(Arc::new(Forward { targets, ..(**forward).clone() })),
                Err(name) => {
                    gone.push(name);
                    Source::Platform
                }
            };
        }
        if slots == self.answers.slots {
            return None;
        }
        self.reslot(slots);
        for name in gone {
            let text = format!("calls are no longer forwarded to {name}, which is no target for that any more");
            self.tell(Notice::warning(text).key(Action::Answers, "says what answers them"));
        }
        Some(Effect::Respond(self.answers.slots.clone()))
    }

    /// Puts other responders in place of those there are. What is being said of one stays with it; of one that is gone,
    /// nothing more can be said.
    fn reslot(&mut self, slots: Vec<Slot>) {
        let before = std::mem::replace(&mut self.answers.slots, slots);
        let slots = &self.answers.slots;
        // A fault that changed begins anew.
        let same = |whose: &Whose| {
            let of = |slots: &[Slot]| slots.iter().find(|slot| slot.whose == *whose).map(|slot| slot.respond.fault);
            of(&before) == of(slots)
        };
        self.answers.left.retain(|(whose, _)| same(whose));
        // Of a server that nothing is passed on to any more, nothing more will be heard.
        let used = |name: &str| {
            slots.iter().any(|slot| match &slot.respond.source {
                Source::Forward(forward) => forward.targets.iter().any(|target| target.name == name),
                Source::Platform | Source::Reply(_) => false,
            })
        };
        self.answers.health.retain(|(name, _)| used(name));
        let place =
            |old: usize| slots.iter().position(|slot| Some(&slot.whose) == before.get(old).map(|old| &old.whose));
        self.dialogs.retain_mut(|dialog| {
            let slot = match dialog {
                Dialog::Answering(Answering::List { selected: slot } | Answering::Sources { slot, .. })
                | Dialog::Prompt(Prompt { ask: Ask::Forward(slot) | Ask::Fault(slot), .. }) => slot,
                Dialog::Answering(Answering::Edit(edit)) => match &mut edit.purpose {
                    Purpose::Slot(slot) => slot,
                    Purpose::Answer(_) | Purpose::Request(_) | Purpose::Kind(_) => return true,
                },
                _ => return true,
            };
            let new = place(*slot);
            *slot = new.unwrap_or(0);
            new.is_some()
        });
    }
}

/// Where calls can be sent: what is configured, ourselves, and the platforms' own places.
pub(super) fn targets(setup: &Setup) -> Vec<Target> {
    let mut targets = setup.config.targets.clone();
    targets.extend(setup.listener.map(sending::ourselves));
    // The platforms' own places are real: nothing is sent there unasked.
    for endpoint in setup.platforms.endpoints() {
        if targets.iter().all(|target| target.name != endpoint.name) {
            targets.push(endpoint.target());
        }
    }
    targets
}

/// Where one of the targets of before is among those of `now`; none of them: an address to be typed. Of typed ones several may
/// have one name, and differ in their queries.
fn same(now: &[Option<Target>], was: Option<&Target>) -> Option<usize> {
    let name = |target: Option<&Target>| target.map(|target| target.name.clone());
    let place = |target: Option<&Target>| target.map(|target| (target.name.clone(), target.url.clone()));
    let as_it_was = now.iter().position(|target| place(target.as_ref()) == place(was));
    as_it_was.or_else(|| now.iter().position(|target| name(target.as_ref()) == name(was)))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::app::dialog::Then;
    use crate::app::event::{Event, Level};
    use crate::app::tests::{app, happen};
    use crate::call::Request;
    use crate::config::{Hold, Listen, Sources};
    use crate::net::responder::{Health, Told};
    use crate::recording::redact::MASK;

    fn load(text: &str) -> Config {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hooktape.toml");
        std::fs::write(&path, text).unwrap();
        Config::load(&Sources { explicit: Some(path), ..Sources::default() }).unwrap()
    }

    fn change(app: &mut App, text: &str) -> Vec<Effect> {
        happen(app, Event::Configured(Ok(Arc::new(load(text)))))
    }

    #[test]
    fn targets_are_taken_over_and_the_chosen_one_stays_chosen() {
        let mut app = app();
        let one = "[[target]]\nname = \"one\"\nurl = \"http://one.example\"\n";
        let two = "[[target]]\nname = \"two\"\nurl = \"http://two.example\"\n";
        change(&mut app, one);
        assert_eq!(app.target().unwrap().name, "one");
        let typed = app.add_target("http://typed.example").unwrap();
        let typed = app.targets[typed].name.clone();
        change(&mut app, &format!("{two}{one}"));
        assert_eq!(app.target().unwrap().name, "one");
        assert!(app.targets.iter().any(|target| target.name == typed));
        // Two that were typed may be told apart by their queries alone.
        let twins = ["http://twin.example/?to=a", "http://twin.example/?to=b"].map(|url| app.add_target(url).unwrap());
        app.target = Some(twins[1]);
        change(&mut app, one);
        assert!(app.target().unwrap().url.ends_with("to=b"), "{:?}", app.target());
        app.target = app.targets.iter().position(|target| target.name == "one");
        change(&mut app, two);
        assert!(app.target().is_none(), "what was chosen is gone, and nobody chose another");
        assert!(app.log.iter().any(|(_, told)| told.text.contains("the target one is no longer configured")));
        assert!(app.targets.iter().all(|target| target.name != "one"));
        change(&mut app, &format!("{two}{one}"));
        assert!(app.target().is_none(), "still nobody did");
    }

    #[test]
    fn routes_change_what_answers_but_what_did_not_change_is_left_alone() {
        let mut app = app();
        app.setup.listener = Some("127.0.0.1:4747".parse().unwrap());
        let route = "[[route]]\npath = \"/hooks\"\nrespond.fault = \"status=503\"\n";
        let effects = change(&mut app, route);
        assert_eq!(app.answers.slots.len(), 2);
        assert_eq!(effects[1..], [Effect::Respond(app.answers.slots.clone())]);
        app.answers.slots[0].respond.fault = None;
        let effects = change(&mut app, &format!("{route}[keys]\nreplay = \"f5\"\n"));
        assert!(
            app.answers.slots[0].respond.fault.is_none(),
            "what was set by hand stays while the file says the same"
        );
        assert_eq!(effects.len(), 1);
        assert_eq!(app.keymap.key(crate::app::action::Action::Replay), "f5");
    }

    #[test]
    fn what_a_new_target_has_by_reference_is_no_others_and_masked() {
        let mut app = app();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hooktape.toml");
        let text =
            "[[target]]\nname = \"staging\"\nurl = \"http://staging.example\"\nheaders = { X-Tenant = \"env:T\" }\n";
        std::fs::write(&path, text).unwrap();
        let environment = std::iter::once::<(OsString, OsString)>(("T".into(), "acme".into())).collect();
        let loaded = Config::load(&Sources { explicit: Some(path), environment, ..Sources::default() }).unwrap();
        happen(&mut app, Event::Configured(Ok(Arc::new(loaded))));
        assert_eq!(app.notice.as_ref().unwrap().text, "hooktape.toml has changed: taken over");
        let mut sent = crate::app::tests::call("/");
        sent.request.origin = Some("http://staging.example".into());
        sent.request.headers.push("x-tenant", "acme");
        let elsewhere = |app: &App, request: &Request| {
            let mut request = request.clone();
            app.setup.keyring.leave_behind(&mut request, None, &Target::new("there", "http://there.example"));
            request.headers
        };
        let masked = |app: &App| app.redaction.as_ref().unwrap().call(&sent).request.headers;
        for _ in 0..2 {
            assert_eq!(elsewhere(&app, &sent.request).get("x-tenant"), None);
            assert_eq!(masked(&app).get("x-tenant"), Some(MASK));
            // Also when the target is gone again: the call is there.
            change(&mut app, "");
        }
    }

    #[test]
    fn what_was_set_by_hand_stays_where_the_file_says_what_it_said() {
        let mut app = app();
        app.setup.listener = Some("127.0.0.1:4747".parse().unwrap());
        let route = |path: &str, next: u32| {
            format!("[[route]]\npath = \"{path}\"\nrespond.fault = \"status=503 next={next}\"\n")
        };
        change(&mut app, &(route("/a", 1) + &route("/b", 1)));
        app.answers.slots.iter_mut().for_each(|slot| slot.respond.hold = Some(Hold::Patience));
        for slot in app.answers.slots.clone() {
            happen(&mut app, Event::Responding(Told::Hit { whose: slot.whose, left: 0 }));
        }
        change(&mut app, &(route("/a", 1) + &route("/b", 2)));
        let held: Vec<bool> = app.answers.slots.iter().map(|slot| slot.respond.hold.is_some()).collect();
        assert_eq!(held, [true, false, true]);
        let faults: Vec<_> = app.answers.faults().map(|(slot, ..)| slot.whose.clone()).collect();
        assert_eq!(faults, [Whose::Route("/b".to_owned())], "the other one is spent");
    }

    #[test]
    fn what_is_forwarded_by_hand_goes_where_the_target_is_now() {
        let mut app = app();
        app.setup.listener = Some("127.0.0.1:4747".parse().unwrap());
        let target = |port: u16, more: &str| {
            format!("[[target]]\nname = \"staging\"\nurl = \"http://127.0.0.1:{port}\"\n{more}")
        };
        change(&mut app, &target(1, ""));
        let forward = |app: &App| match &app.answers.slots[0].respond.source {
            Source::Forward(forward) => forward.targets[0].url.clone(),
            source => format!("{source:?}"),
        };
        let staging = app.setup.config.targets[0].clone();
        app.answers.slots[0].respond.source =
            Source::Forward(Arc::new(Forward { targets: vec![staging], keep_host: false }));
        let effects = change(&mut app, &target(2, ""));
        assert!(matches!(&effects[..], [Effect::Configure(_), Effect::Respond(_)]), "{effects:?}");
        assert_eq!(forward(&app), "http://127.0.0.1:2");
        for gone in [target(2, "guard = \"confirm\"\n"), String::new()] {
            let before = app.answers.slots.clone();
            change(&mut app, &gone);
            assert_eq!(forward(&app), "Platform");
            let told = app.log.iter().any(|(_, told)| told.text.contains("no longer forwarded to staging"));
            assert!(told, "{:?}", app.log);
            app.log.clear();
            change(&mut app, &target(2, ""));
            app.answers.slots = before;
        }
    }

    #[test]
    fn what_does_not_count_is_taken_over_where_nothing_else_was_said_by_hand() {
        let mut app = app();
        let compare = |field: &str| format!("[compare]\nignore = [\"{field}\"]\n");
        change(&mut app, &compare("/a"));
        assert_eq!(app.rules, Rules::configured(&app.setup.config.compare));
        app.rules.ignore("/mine").unwrap();
        let mine = app.rules.clone();
        change(&mut app, &compare("/b"));
        assert_eq!(app.rules, mine);
    }

    #[test]
    fn the_cursor_of_a_list_of_targets_stays_at_its_target() {
        let mut app = app();
        let target = |name: &str| format!("[[target]]\nname = \"{name}\"\nurl = \"http://{name}.example\"\n");
        change(&mut app, &(target("one") + &target("two")));
        app.dialogs.push(Dialog::Targets { selected: 1, then: Then::Stay });
        change(&mut app, &(target("zero") + &target("one") + &target("two")));
        assert!(matches!(app.dialogs[..], [Dialog::Targets { selected: 2, .. }]), "{:?}", app.dialogs);
        change(&mut app, &target("one"));
        assert!(app.dialogs.is_empty(), "a key that is on its way must not choose another");
    }

    #[test]
    fn what_is_being_said_of_a_responder_stays_with_it() {
        let mut app = app();
        app.setup.listener = Some("127.0.0.1:4747".parse().unwrap());
        let route = |path: &str| format!("[[route]]\npath = \"{path}\"\n");
        change(&mut app, &route("/a"));
        app.dialogs.push(Dialog::Answering(Answering::Sources { slot: 0, selected: 1 }));
        change(&mut app, &(route("/b") + &route("/a")));
        assert!(matches!(app.dialogs[..], [Dialog::Answering(Answering::Sources { slot: 1, selected: 1 })]));
        change(&mut app, &route("/b"));
        assert!(app.dialogs.is_empty());
    }

    #[test]
    fn the_health_of_a_server_goes_with_the_last_route_to_it() {
        let mut app = app();
        app.setup.listener = Some("127.0.0.1:4747".parse().unwrap());
        let route = |port: u16| format!("[[route]]\npath = \"/a\"\nrespond.forward = \"http://127.0.0.1:{port}/\"\n");
        change(&mut app, &route(1));
        let Source::Forward(forward) = &app.answers.slots[0].respond.source else { panic!("{:?}", app.answers.slots) };
        let name = forward.targets[0].name.clone();
        happen(&mut app, Event::Responding(Told::Target(name, Health::Down("refused".to_owned()))));
        change(&mut app, &(route(1) + "timeout = \"1s\"\n"));
        assert_eq!(app.answers.health.len(), 1);
        change(&mut app, &route(2));
        assert_eq!(app.answers.health, []);
    }

    #[test]
    fn what_is_wrong_is_said_and_all_stays() {
        let mut app = app();
        let before = app.setup.config.clone();
        assert!(happen(&mut app, Event::Configured(Err("line 3".to_owned()))).is_empty());
        assert!(change(&mut app, "[keys]\nreplay = \"e\"\n").is_empty());
        let notice = app.notice.as_ref().unwrap();
        assert!(notice.level == Level::Error && notice.text.contains("`e` means `edit` already"), "{notice:?}");
        assert_eq!(app.setup.config, before);
        happen(&mut app, Event::Configured(Err("line 3\nline 5".to_owned())));
        let told: Vec<&str> = app.log.iter().rev().map(|(_, notice)| notice.text.as_str()).take(2).collect();
        assert_eq!(told, ["line 3", "line 5"].map(|line| format!("the configuration stays as it was: {line}")));
    }

    #[test]
    fn what_needs_a_restart_is_named_and_not_pretended() {
        let mut app = app();
        change(&mut app, "[listen]\naddress = \"127.0.0.1:1\"\n");
        assert!(app.notice.as_ref().unwrap().text.contains("but for [listen] (restart)"));
        assert_eq!(app.setup.config.listen, Listen::default());
    }
}
