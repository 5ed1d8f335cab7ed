//! The one table of what a user can mean: name, default keys, help.
//!
//! Keymap ([`keymap`](crate::app::keymap)), `?` help, palette, footer hints and the README's key table are views of it. To add an action, add a line
//! here and an arm in `App::act`.

/// Where an action means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// On every screen.
    Everywhere,
    /// While looking at calls.
    Calls,
    /// While a draft is open and nothing is being typed.
    Draft,
}

impl Scope {
    /// The heading of its part of the help.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Everywhere => "Everywhere",
            Self::Calls => "Calls",
            Self::Draft => "Draft",
        }
    }
}

/// One line of the table.
#[derive(Debug)]
pub struct Entry {
    /// The action.
    pub action: Action,
    /// Where it applies.
    pub scope: Scope,
    /// Its name in the palette.
    pub name: &'static str,
    /// The keys that mean it unless the configuration says otherwise, as [`keys::parse`](crate::app::keys::parse) reads them; the first is the one that hints show.
    pub keys: &'static [&'static str],
    /// What it does, as a sentence without a full stop.
    pub help: &'static str,
    /// A word for the footer, where it is worth a place there.
    pub hint: Option<&'static str>,
}

macro_rules! actions {
    ($($scope:ident $variant:ident $name:literal [$($key:literal)*] $help:literal $(($hint:literal))?;)*) => {
        /// What the user means.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Action { $(#[doc = $help] $variant,)* }

        /// Every action, in the order of the help.
        pub const TABLE: &[Entry] = &[$(Entry {
            action: Action::$variant,
            scope: Scope::$scope,
            name: $name,
            keys: &[$($key),*],
            help: $help,
            hint: actions!(@hint $($hint)?),
        },)*];
    };
    (@hint) => { None };
    (@hint $hint:literal) => { Some($hint) };
}

actions! {
    Calls      Down         "down"            ["j" "down"]          "One call or line down";
    Calls      Up           "up"              ["k" "up"]            "One call or line up";
    Calls      PageDown     "page down"       ["pgdn" "space" "ctrl-d"] "A page down";
    Calls      PageUp       "page up"         ["pgup" "b" "ctrl-u"] "A page up";
    Calls      Top          "first"           ["g" "home"]          "To the first call or line";
    Calls      Bottom       "last"            ["G" "end"]           "To the last call or line";
    Calls      Open         "open"            ["enter" "l" "right"] "Look into the selected call" ("look");
    Calls      Back         "back"            ["esc"]               "One level back: out of the call, the search, the filter";
    Calls      Fold         "fold"            ["h" "left"]          "Close the branch of the tree, or one level back";
    Calls      NextTab      "next tab"        ["tab" "]"]           "The next tab of the call" ("tabs");
    Calls      PreviousTab  "previous tab"    ["backtab" "["]       "The previous tab of the call";
    Calls      Envelope     "envelope"        ["1"]                 "What the call means, field by field";
    Calls      Body         "body"            ["2"]                 "The body, byte for byte";
    Calls      Headers      "headers"         ["3"]                 "The request's headers";
    Calls      Signature    "signature"       ["4"]                 "What was signed, the verdict, and why";
    Calls      Response     "response"        ["5"]                 "What was answered, held against the contract";
    Calls      Conversation "conversation"    ["6"]                 "The call's conversation, turn by turn: what was said, called, answered, changed";
    Calls      Conversations "conversations"  ["v"]                 "Every conversation of the recording";
    Calls      Pretty       "form of bodies"  ["p"]                 "Show bodies as a tree, pretty, exactly as they came, byte by byte";
    Calls      NextSibling  "next sibling"    ["J"]                 "The next value of the same object or array";
    Calls      PreviousSibling "previous sibling" ["K"]             "The previous value of the same object or array";
    Calls      MoreLevels   "more levels"     ["+"]                 "Open one level more of the tree";
    Calls      FewerLevels  "fewer levels"    ["-"]                 "Close the deepest open level of the tree";
    Calls      Jq           "jq"              ["|"]                 "Put the body through a jq filter";
    Calls      Zoom         "zoom"            ["z"]                 "Give the focused panel the whole screen, or take it back";
    Calls      Replay       "replay"          ["r"]                 "Send the call again, signed anew, with new ids and times" ("replay");
    Calls      ReplayMany   "replay with options" ["R"]             "Send calls again: which, where, how fast, what is expected; while it runs: how far it is";
    Calls      Compare      "compare"         ["c"]                 "Compare the answer with that to the call this one repeats, or two marked calls";
    Calls      Edit         "edit"            ["e"]                 "Edit the payload here, then send it" ("edit");
    Calls      SetValue     "set value"       ["="]                 "Change the value at the cursor and no other byte: enter makes a draft of it, ctrl-s sends it";
    Calls      EditOutside  "edit in $EDITOR" ["E"]                 "Edit the payload in $EDITOR, then send it";
    Calls      Test         "test call"       ["t"]                 "Send a built-in call of any kind; what was sent so far" ("test");
    Calls      Fixtures     "fixtures"        ["f"]                 "Drafts that were kept: send or edit one";
    Calls      Webview      "webview"         ["w"]                 "Open a page as a platform does, and wait for its callback" ("webview");
    Calls      Answers      "answers"         ["a"]                 "What answers calls: replies, your own server, faults" ("answers");
    Calls      AnswerSo     "answer so"       ["A"]                 "Answer this kind of call like this from now on";
    Calls      Hold         "hold"            ["i"]                 "The calls that wait for you; without any: hold calls, or let them through" ("hold");
    Calls      Public       "public address"  ["P"]                 "Copy the address that platforms call, or say why they cannot call here";
    Calls      Recordings   "recordings"      ["s"]                 "The recordings of the data directory: their sizes, how to open one, removing one";
    Calls      Demo         "demo"            ["D"]                 "Play the built-in conversation through the listener" ("demo");
    Calls      Filter       "filter"          ["/"]                 "Filter the calls; inside a call: search its text" ("filter");
    Calls      NextMatch    "next match"      ["n"]                 "The next match of the search";
    Calls      PreviousMatch "previous match" ["N"]                 "The previous match of the search";
    Calls      Follow       "follow"          ["F"]                 "Follow the newest call, or stay";
    Calls      NextInConversation "next in conversation" ["o"]      "The next call of the same conversation";
    Calls      PreviousInConversation "previous in conversation" ["O"] "The previous call of the same conversation";
    Calls      NextError    "next error"      [">"]                 "The next call that failed, or was answered with an error";
    Calls      PreviousError "previous error" ["<"]                 "The call before that failed";
    Calls      NextSlow     "next slow call"  [")"]                 "The next call that took long (screen.slow); without any the slowest";
    Calls      PreviousSlow "previous slow call" ["("]              "The slow call before";
    Calls      NextUnproven "next bad signature" ["}"]              "The next call whose signature is missing or not good";
    Calls      PreviousUnproven "previous bad signature" ["{"]      "The call before whose signature is missing or not good";
    Calls      Plots        "plots"           ["Z"]                 "When calls came and how long they took, by kind" ("plots");
    Calls      Expiration   "expiration"      ["x"]                 "After how long the flow that waits for a page expires";
    Calls      Mark         "mark"            ["m"]                 "Mark the call, or take its mark away" ("mark");
    Calls      ColourMark   "mark in colour"  ["M"]                 "Mark the call in the next colour";
    Calls      Note         "note"            [";"]                 "Write a note on the call; an empty one takes it away";
    Calls      Delete       "delete"          ["d"]                 "Delete the call (hidden, still in the file), or bring a deleted one back";
    Calls      TakeBack     "take back"       ["u"]                 "Take back the last mark, note or deletion";
    Calls      Yank         "copy"            ["y"]                 "Copy of the call: body, value, pointer, headers, curl, report" ("copy");
    Calls      Original     "original"        ["^"]                 "The call that this one repeats";
    Draft      Type         "type"            ["e" "i" "enter"]     "Type into the payload (esc stops typing)" ("type");
    Draft      Send         "send"            ["s"]                 "Send the draft" ("send");
    Draft      SwitchSigning "signing"        ["x"]                 "Sign anew (fresh), or send the signature as it was (exact)" ("signing");
    Draft      Reformat     "reformat"        ["p"]                 "Lay the JSON out prettily (an edit: it is sent as shown)";
    Draft      Revert       "revert"          ["R"]                 "Back to the payload as it was";
    Draft      Undo         "undo"            ["u" "ctrl-z"]        "Undo (while typing: ctrl-z)";
    Draft      Redo         "redo"            ["U" "ctrl-y"]        "Redo (while typing: ctrl-y)";
    Draft      DraftSearch  "search payload"  ["/"]                 "Search the payload";
    Draft      DraftNext    "next hit"        ["n"]                 "The next hit in the payload";
    Draft      DraftPrevious "previous hit"   ["N"]                 "The previous hit in the payload";
    Draft      DraftOutside "draft in $EDITOR" ["E"]                "Go on in $EDITOR";
    Draft      ScrollDown   "scroll answer"   ["j" "down" "pgdn"]   "Scroll the answer down";
    Draft      ScrollUp     "scroll answer up" ["k" "up" "pgup"]    "Scroll the answer up";
    Draft      SaveFixture  "save as fixture" ["f"]                 "Keep the draft under a name, to be sent again";
    Draft      Close        "close draft"     ["esc" "q"]           "Close the draft" ("close");
    Everywhere Target       "target"          ["T"]                 "Choose where calls are sent" ("target");
    Everywhere Mask         "mask"            ["*"]                 "Mask what is secret or personal on the screen, or show it";
    Everywhere Register     "keep variables"  ["$"]                 "Keep what the answer holds under context and output as known variables";
    Everywhere Variables    "variables"       ["V"]                 "The known variables; in a draft enter puts one in";
    Everywhere Mouse        "mouse"           ["S"]                 "Give the mouse to the terminal for selecting text, or take it back";
    Everywhere Log          "log"             ["L"]                 "What was reported so far";
    Everywhere Palette      "palette"         [":"]                 "Find an action by its name";
    Everywhere Help         "help"            ["?" "f1"]            "This help" ("help");
    Everywhere Redraw       "redraw"          ["ctrl-l"]            "Draw the screen anew";
    Everywhere Suspend      "suspend"         ["ctrl-z"]            "Back to the shell; fg returns";
    Everywhere Quit         "quit"            ["q" "ctrl-c"]        "Leave hooktape" ("quit");
}

impl Action {
    /// Its line of the table.
    ///
    /// # Panics
    /// Never: the table is made from the same lines as the enum.
    #[must_use]
    pub fn entry(self) -> &'static Entry {
        &TABLE[self as usize]
    }

    /// Whether it means nothing while there is no call.
    #[must_use]
    pub fn needs_call(self) -> bool {
        self.entry().scope == Scope::Calls
            && !matches!(
                self,
                Self::Test
                    | Self::Fixtures
                    | Self::Webview
                    | Self::Recordings
                    | Self::Demo
                    | Self::Answers
                    | Self::Hold
                    | Self::Public
            )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::keymap::Keymap;
    use crate::app::keys;

    #[test]
    fn every_key_of_the_table_is_a_key_and_means_one_thing_in_its_scope() {
        for entry in TABLE {
            for key in entry.keys {
                let event = keys::parse(key).unwrap_or_else(|| panic!("{key} of {} is no key", entry.name));
                assert_eq!(
                    Keymap::default().action(event, entry.scope),
                    Some(entry.action),
                    "{key} in {:?}",
                    entry.scope
                );
            }
        }
    }

    #[test]
    fn an_action_finds_its_own_line() {
        for entry in TABLE {
            assert_eq!(entry.action.entry().name, entry.name);
        }
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = TABLE.iter().map(|entry| entry.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), TABLE.len());
    }

    #[test]
    fn no_essential_action_needs_ctrl() {
        for entry in TABLE.iter().filter(|entry| !matches!(entry.action, Action::Redraw | Action::Suspend)) {
            assert!(entry.keys.iter().any(|key| !key.contains("ctrl-")), "{}", entry.name);
        }
    }
}
