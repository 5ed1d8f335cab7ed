//! What the keys do, in the words of what lies on top: the last row of the screen, and sentences that name a key.
//!
//! Every key that is named comes from the keymap, so that none is named that means something else.

use ratatui::text::{Line, Span};

use crate::app::action::{Action, Entry, Scope, TABLE};
use crate::app::answering::Answering;
use crate::app::dialog::Dialog;
use crate::app::panel::Panel;
use crate::app::prompt::{Ask, Prompt};
use crate::app::{App, answering, exporting};
use crate::net::responder::Stage;
use crate::replay::compare::Side;
use crate::view::theme;
use crate::visible;

/// Actions that belong together, and what they do.
type Hint = (&'static [Action], &'static str);

const CLOSE: Hint = (&[Action::Back], "close");
const CHOOSE: [Hint; 2] = [(&[Action::Open], "choose"), CLOSE];
const TYPING: [Hint; 2] = [(&[Action::Take], "take it"), (&[Action::LeaveTyping], "leave it")];

/// The row of hints: what fits of them.
pub(super) fn row(app: &App, width: usize) -> Line<'static> {
    let scope = scope(app);
    let hints: Vec<(String, &str)> = match app.dialogs.last() {
        Some(dialog) => named(app, scope, &of_dialog(app, dialog)).collect(),
        None if scope == Scope::Typing => named(app, scope, DRAFT).collect(),
        None => of_table(app, scope),
    };
    let mut spans = vec![Span::raw(" ")];
    let mut used = 1;
    for (key, does) in hints {
        let wide = visible::width(&key) + visible::width(does) + 3;
        if used + wide > width {
            break;
        }
        spans.push(Span::styled(key, theme::KEY));
        spans.push(Span::styled(format!(" {does}  "), theme::DIM));
        used += wide;
    }
    Line::from(spans)
}

/// The screen that the keymap is for.
pub(super) fn scope(app: &App) -> Scope {
    scope_with(app, app.dialogs.last())
}

/// As [`scope`], were this the topmost dialog.
pub(super) fn scope_with(app: &App, top: Option<&Dialog>) -> Scope {
    let typing = app.draft.as_ref().is_some_and(|draft| draft.typing);
    top.map_or(if typing { Scope::Typing } else { app.scope() }, Dialog::scope)
}

/// The key that means an action on the screen as it is; where none does, the name by which the palette finds it.
pub(super) fn key(app: &App, action: Action) -> &str {
    app.keymap.hint(action, scope(app)).unwrap_or(action.entry().name)
}

/// What the table has a word for, the help first.
fn of_table(app: &App, scope: Scope) -> Vec<(String, &'static str)> {
    let of = |wanted: Scope| TABLE.iter().filter(move |entry| entry.scope == wanted);
    let idle = scope == Scope::Calls && app.calls.total == 0;
    let fixed = app.draft.as_ref().is_some_and(|draft| !draft.editable());
    let holding = app.answers.holds() && app.answers.held.is_empty();
    // A key that the screen itself uses is no hint for what it means everywhere.
    let shown = |entry: &Entry| {
        let does = if holding && entry.action == Action::Hold { "let through" } else { entry.hint? };
        Some((app.keymap.hint(entry.action, scope)?.to_owned(), does))
    };
    let near = [Scope::Moving, scope].into_iter().filter(|near| scope.chain().contains(near)).flat_map(of);
    let far = || {
        [Scope::Main, Scope::Sending, Scope::Everywhere]
            .into_iter()
            .filter(|far| scope.chain().contains(far))
            .flat_map(of)
    };
    far()
        .filter(|entry| entry.action == Action::Help)
        .chain(
            near.filter(|entry| !idle || !entry.action.needs_call())
                .filter(|entry| !fixed || entry.action != Action::Type)
                .filter(|entry| entry.action != Action::Open || app.opens())
                .filter(|entry| app.setup.listener.is_some() || !entry.action.needs_listener()),
        )
        .chain(far().filter(|entry| entry.action != Action::Help))
        // Where the one key that leaves drops what was typed, it is no hint.
        .filter(|entry| entry.action != Action::Quit || scope != Scope::Draft)
        .filter_map(shown)
        .collect()
}

/// Those of the hints that have a key.
fn named<'a>(app: &'a App, scope: Scope, hints: &'a [Hint]) -> impl Iterator<Item = (String, &'static str)> + 'a {
    hints.iter().filter_map(move |(actions, does)| {
        let keys: Vec<&str> = actions.iter().filter_map(|action| app.keymap.hint(*action, scope)).collect();
        (!keys.is_empty()).then(|| (keys.join(" "), *does))
    })
}

const DRAFT: &[Hint] = &[
    (&[Action::LeaveTyping], "stop typing"),
    (&[Action::SendTyped], "send"),
    (&[Action::UndoTyping], "undo"),
    (&[Action::RedoTyping], "redo"),
];

/// What the keys of a dialog do, the most important first.
fn of_dialog(app: &App, dialog: &Dialog) -> Vec<Hint> {
    let mut hints: Vec<Hint> = match dialog {
        Dialog::Help { typing: false, .. } => vec![(&[Action::SearchHelp], "search"), CLOSE],
        Dialog::Log { .. } => vec![CLOSE],
        Dialog::Yank { .. } => vec![(&[Action::Open], "copy"), CLOSE],
        Dialog::Plots { .. } => {
            let more: Option<Hint> = app.regions.dialog.has_more().then_some((&[Action::MoreKinds], "more kinds"));
            let hints: [Hint; 7] = [
                (&[Action::Earlier, Action::Later], "in time"),
                (&[Action::PreviousError, Action::NextError], "errors"),
                (&[Action::PreviousSlow, Action::NextSlow], "slow"),
                (&[Action::PreviousUnproven, Action::NextUnproven], "bad signatures"),
                (&[Action::Down, Action::Up], "call by call"),
                (&[Action::Open], "look"),
                CLOSE,
            ];
            hints.into_iter().chain(more).collect()
        }
        Dialog::Palette { .. } => vec![(&[Action::Take], "do it"), (&[Action::LeaveTyping], "close")],
        Dialog::Conversations { .. } => vec![(&[Action::Open], "open"), CLOSE],
        Dialog::Targets { .. } | Dialog::Pages { .. } => CHOOSE.to_vec(),
        Dialog::Webview { .. } => vec![
            (&[Action::CopyUrl], "copy the URL"),
            (&[Action::Open], "to the callback"),
            (&[Action::WaitFor], "expiration"),
            CLOSE,
        ],
        Dialog::Recordings(shelf) if shelf.removing => vec![(&[Action::Yes], "remove it")],
        Dialog::Recordings(_) => {
            vec![
                (&[Action::Open], "open"),
                (&[Action::CopyCommand], "copy how to"),
                (&[Action::RemoveRecording], "remove"),
                CLOSE,
            ]
        }
        Dialog::Answering(answering) => of_answering(app, answering),
        Dialog::Panel(panel) => of_panel(app, panel),
        Dialog::Question(question) => vec![(&[Action::Yes], question.words.hint)],
        Dialog::Prompt(Prompt { ask: Ask::Value(_), .. }) => vec![
            (&[Action::Take], "a draft of it"),
            (&[Action::SendTyped], "send it at once"),
            (&[Action::LeaveTyping], "leave it"),
        ],
        Dialog::Help { .. } | Dialog::Filter { .. } | Dialog::Prompt(_) => TYPING.to_vec(),
    };
    if dialog.scope().chain().contains(&Scope::Everywhere) && !matches!(dialog, Dialog::Help { .. }) {
        hints.push((&[Action::Help], "help"));
    }
    if let Dialog::Prompt(Prompt { input, .. }) | Dialog::Filter { input, .. } = dialog
        && !input.text().is_empty()
    {
        hints.push((&[Action::ClearLine], "empty it"));
    }
    hints
}

fn of_answering(app: &App, answering: &Answering) -> Vec<Hint> {
    match answering {
        Answering::List { .. } => vec![
            (&[Action::Open], "change"),
            (&[Action::SetFault], "fault"),
            (&[Action::HoldThese], "hold"),
            (&[Action::AsConfigured], "as configured"),
            CLOSE,
        ],
        Answering::Sources { .. } => CHOOSE.to_vec(),
        Answering::Held { selected, .. } => {
            let held = app.answers.held.get((*selected).min(app.answers.held.len().saturating_sub(1)));
            let mut hints: Vec<Hint> = if held.is_some_and(|held| matches!(held.stage, Stage::Forward(_))) {
                vec![
                    (&[Action::LetGo], "forward"),
                    (&[Action::ForwardHeld], "and hold"),
                    (&[Action::EditRequest], "request"),
                    (&[Action::EditAnswer], "answer"),
                    (&[Action::Refuse], "refuse"),
                    (&[Action::Back], "later"),
                ]
            } else {
                vec![
                    (&[Action::LetGo], "let it go"),
                    (&[Action::EditAnswer], "edit the answer"),
                    (&[Action::Refuse], "refuse (503)"),
                    (&[Action::HoldNoMore], if app.answers.holds() { "hold no more" } else { "hold again" }),
                    (&[Action::Back], "later"),
                ]
            };
            if app.regions.dialog.has_more() {
                hints.push((&[Action::HeldDown, Action::HeldUp], "scroll"));
            }
            hints
        }
        Answering::Edit(edit) => of_edit(edit),
    }
}

fn of_edit(edit: &answering::Edit) -> Vec<Hint> {
    let send = if edit.is_request() { "forward it, signed anew" } else { "take it" };
    let mut hints: Vec<Hint> = vec![(&[Action::SendTyped], send)];
    if !edit.is_request() {
        hints.push((&[Action::Complete], if edit.on_status { "to the body" } else { "to the status" }));
    }
    hints.push((&[Action::LeaveTyping], "leave it"));
    hints.push((&[Action::UndoTyping], "undo"));
    hints
}

fn of_panel(app: &App, panel: &Panel) -> Vec<Hint> {
    match panel {
        Panel::Options(options) if options.typing.is_some() => TYPING.to_vec(),
        Panel::Options(options) => {
            let mut hints: Vec<Hint> =
                vec![(&[Action::Begin], "begin"), (&[Action::PreviousValue, Action::NextValue], "change")];
            if options.takes_text() {
                hints.push((&[Action::TypeValue], "type"));
            }
            hints.push((&[Action::Target], "target"));
            if app.replay.is_some() {
                hints.push((&[Action::LastReplay], "the last one"));
                hints.push((&[Action::AsAtFirst], "as at first"));
            }
            hints.push(CLOSE);
            hints
        }
        Panel::Running => {
            let replay = app.replay.as_ref();
            let mut hints: Vec<Hint> = Vec::new();
            if replay.is_some_and(crate::app::replaying::Replay::runs) {
                let paused = replay.is_some_and(|replay| replay.paused.is_some());
                hints.push((&[Action::Pause], if paused { "go on" } else { "pause" }));
                hints.push((&[Action::CancelReplay], "cancel"));
            }
            let all = replay.is_some_and(|replay| replay.failures_only);
            hints.push((&[Action::Open], "compare"));
            let both: Hint = (&[Action::CompareTargets], "both targets");
            let both = replay.filter(|replay| replay.plan.against.is_some()).map(|replay| (replay.runs(), both));
            // While it runs, the way out comes first where there are 80 columns.
            hints.extend(both.filter(|(runs, _)| !runs).map(|(_, both)| both));
            hints.extend([
                (&[Action::ToCall] as &[Action], "to the call"),
                (&[Action::OnlyFailures], if all { "all" } else { "only failures" }),
                CLOSE,
            ]);
            hints.extend(both.filter(|(runs, _)| *runs).map(|(_, both)| both));
            hints
        }
        Panel::Export(options) if options.typing.is_some() => TYPING.to_vec(),
        Panel::Export(options) => {
            let turns: Hint = (&[Action::PreviousValue, Action::NextValue], "change");
            let turns = (options.field() != exporting::Field::File).then_some(turns);
            let begins: Hint = (&[Action::Begin], "export");
            let names: Hint = (&[Action::TypeValue], "name the file");
            [begins].into_iter().chain(turns).chain([names, CLOSE]).collect()
        }
        Panel::Exporting => {
            let cancels = app.export.as_ref().is_some_and(|export| !export.cancelled);
            let cancels: Option<Hint> = cancels.then_some((&[Action::CancelExport], "cancel"));
            cancels.into_iter().chain([(&[Action::Meanwhile] as &[Action], "go on meanwhile")]).collect()
        }
        // Short, for the way out is to be seen where there are 80 columns.
        Panel::Comparison(comparison) => vec![
            (&[Action::NextDifference, Action::PreviousDifference], "jump"),
            (&[Action::OtherSide], if comparison.side == Side::Request { "answers" } else { "requests" }),
            (&[Action::Ignore], "ignore"),
            (&[Action::IgnoreInAll], "in all items"),
            (&[Action::IgnoreOrder], "order"),
            CLOSE,
            (&[Action::IgnoreNothing], "reset"),
        ],
        Panel::Tester(tester) if tester.typing => TYPING.to_vec(),
        Panel::Tester(tester) => {
            let mut hints: Vec<Hint> = vec![
                (&[Action::Open], if tester.in_history { "to the call" } else { "send" }),
                (&[Action::EditTest], "edit first"),
                (&[Action::Target], "target"),
                (&[Action::SearchKinds], "search"),
            ];
            if app.sends.newest_first().next().is_some() {
                hints.push((&[Action::History], if tester.in_history { "the kinds" } else { "what was sent" }));
            }
            if app.regions.dialog.has_more() {
                hints.push((&[Action::TestDown, Action::TestUp], "scroll"));
            }
            if app.tested(tester).is_some() {
                hints.push((&[Action::Register], "keep variables"));
            }
            hints.push(CLOSE);
            hints
        }
        Panel::Variables { .. } if app.known().is_empty() => vec![CLOSE],
        Panel::Fixtures { .. } if app.fixtures.is_empty() => vec![CLOSE],
        Panel::Variables { .. } => {
            let copies: [Hint; 3] = [(&[Action::CopyVariable], "copy"), (&[Action::Forget], "forget"), CLOSE];
            let put: Option<Hint> = app.draft.is_some().then_some((&[Action::Open], "put it in"));
            put.into_iter().chain(copies).collect()
        }
        Panel::Fixtures { .. } => vec![
            (&[Action::Open], "send"),
            (&[Action::EditFixture], "edit first"),
            (&[Action::RemoveFixture], "remove"),
            CLOSE,
        ],
    }
}
