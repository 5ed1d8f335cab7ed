//! What lies over the screen and takes the keys. The top one gets them.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use tui_textarea::TextArea;

use crate::app::action::{self, Action, Scope};
use crate::app::answering::Answering;
use crate::app::panel::Panel;
use crate::app::prompt::Prompt;
use crate::app::question::Question;
use crate::app::recordings::Shelf;
use crate::app::webview::Launch;
use crate::recording::QueryError;

/// One thing that lies over the screen.
#[derive(Debug)]
pub enum Dialog {
    /// The key table.
    Help {
        /// First line shown.
        scroll: usize,
        /// What the lines are narrowed to.
        search: Input,
        /// Keys go into that.
        typing: bool,
    },
    /// What to copy.
    Yank {
        /// Which of the menu's choices ([`crate::app::yank::menu`]) is meant.
        selected: usize,
    },
    /// What was reported so far.
    Log {
        /// First line shown.
        scroll: usize,
    },
    /// When calls came and how long they took.
    Plots {
        /// First kind shown.
        scroll: usize,
    },
    /// Actions by name.
    Palette {
        /// What they are filtered by.
        input: Input,
        /// Which one is meant.
        selected: usize,
    },
    /// The list's filter being typed.
    Filter {
        /// The query.
        input: Input,
        /// The filter to go back to, as it was typed.
        before: String,
        /// Which of what the word may become is meant.
        selected: usize,
        /// What is wrong with the query, and where.
        error: Option<QueryError>,
    },
    /// A line to type in.
    Prompt(Prompt),
    /// The conversations of the recording, the newest first.
    Conversations {
        /// Those there are to choose from.
        choices: Vec<Gathered>,
        /// Which one is meant.
        selected: usize,
    },
    /// Where calls are sent.
    Targets {
        /// Which one is meant.
        selected: usize,
        /// What to do once one is chosen.
        then: Then,
    },
    /// A kind of page to open.
    Pages {
        /// Which one is meant.
        selected: usize,
    },
    /// A page that is opened by hand, and what comes of it.
    Webview {
        /// The page.
        launch: Box<Launch>,
    },
    /// The recordings of the data directory.
    Recordings(Shelf),
    /// What answers calls, and those that wait.
    Answering(Answering),
    /// Replays, comparisons, tests, and what is kept.
    Panel(Panel),
    /// A question before something is done.
    Question(Question),
}

impl Dialog {
    /// The screen that the keymap is for while it lies on top.
    #[must_use]
    pub fn scope(&self) -> Scope {
        match self {
            Self::Help { typing: true, .. } | Self::Palette { .. } | Self::Filter { .. } | Self::Prompt(_) => {
                Scope::Typing
            }
            Self::Help { .. } => Scope::Help,
            Self::Yank { .. } => Scope::Copy,
            Self::Plots { .. } => Scope::Plots,
            Self::Webview { .. } => Scope::Webview,
            Self::Recordings(Shelf { removing: true, .. }) | Self::Question(_) => Scope::Question,
            Self::Recordings(_) => Scope::Recordings,
            Self::Answering(answering) => answering.scope(),
            Self::Panel(panel) => panel.scope(),
            Self::Log { .. } | Self::Conversations { .. } | Self::Targets { .. } | Self::Pages { .. } => Scope::Moving,
        }
    }
}

/// A conversation to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gathered {
    /// Its key, or the beginning of a long one.
    pub key: String,
    /// The key as it is shown where the screen is masked.
    pub masked: String,
    /// How many calls it has.
    pub calls: usize,
    /// How many of them are not as they should be.
    pub ill: usize,
    /// The number of its last call.
    pub last: usize,
}

/// What to do once a target is chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Then {
    /// Nothing more.
    Stay,
    /// Take it as the second target of the replay that is asked for.
    Against,
    /// Send the recorded call of that number again.
    Replay(usize),
    /// Send the draft.
    SendDraft,
    /// Send a built-in call of this kind.
    Test(String),
}

/// One line of typed text.
#[derive(Clone, Debug, Default)]
pub struct Input(pub TextArea<'static>);

impl Input {
    /// A line that says `text` already.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut area = TextArea::from([text]);
        area.move_cursor(tui_textarea::CursorMove::End);
        Self(area)
    }

    /// What it says.
    #[must_use]
    pub fn text(&self) -> &str {
        self.0.lines().first().map_or("", String::as_str)
    }

    /// Takes pasted text, as one line.
    pub fn paste(&mut self, text: &str) {
        self.0.insert_str(text.replace(['\r', '\n'], " "));
    }
}

/// The actions that `text` finds, best first: its letters in their order, in the name or, for less, in the help.
#[must_use]
pub fn matching(text: &str, scope: Scope) -> Vec<Action> {
    let mut matcher = Matcher::new(Config::DEFAULT);
    let pattern = Pattern::parse(text.trim(), CaseMatching::Ignore, Normalization::Smart);
    let mut letters = Vec::new();
    let mut fit = |text: &str| pattern.score(Utf32Str::new(text, &mut letters), &mut matcher);
    let mut rank = |entry: &action::Entry| {
        let (name, help) = (fit(entry.name), fit(entry.help));
        name.map(|score| score * 2).into_iter().chain(help).max()
    };
    let mut found: Vec<(u32, Action)> = action::TABLE
        .iter()
        .filter(|entry| scope.chain().contains(&entry.scope))
        .filter_map(|entry| Some((rank(entry)?, entry.action)))
        .collect();
    found.sort_by_key(|(rank, _)| std::cmp::Reverse(*rank));
    found.into_iter().map(|(_, action)| action).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_palette_finds_by_name_before_help() {
        assert_eq!(matching("rep", Scope::Calls)[0], Action::Replay);
        assert_eq!(matching("nxcv", Scope::Calls)[0], Action::NextInConversation, "letters in their order will do");
        assert!(matching("qzx", Scope::Calls).is_empty());
        assert!(matching("rep", Scope::Draft).iter().all(|action| action.entry().scope != Scope::Calls));
        let here = action::TABLE.iter().filter(|entry| Scope::Calls.chain().contains(&entry.scope));
        assert_eq!(matching("", Scope::Calls).len(), here.count());
    }

    #[test]
    fn pasted_lines_become_one() {
        let mut input = Input::new("a");
        input.paste("b\r\nc");
        assert_eq!(input.text(), "ab  c");
    }
}
