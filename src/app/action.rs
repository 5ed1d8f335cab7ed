//! The one table of what a user can mean: name, default keys, help.
//!
//! Keymap ([`keymap`](crate::app::keymap)), `?` help, palette, footer hints and the README's key table are views of it. To add an action, add a line
//! here and an arm in `App::act`.

macro_rules! scopes {
    ($($(#[doc = $doc:literal])+ $variant:ident $title:literal [$($wider:ident)*];)*) => {
        /// Where an action means something.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Scope { $($(#[doc = $doc])+ $variant,)* }

        impl Scope {
            /// All of them, in the order of the help.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The heading of its part of the help.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }

            /// The scopes whose keys mean something there, the nearest first: what it means by a key itself comes before
            /// what the key means elsewhere.
            #[must_use]
            pub fn chain(self) -> &'static [Self] {
                match self { $(Self::$variant => &[Self::$variant, $(Self::$wider),*],)* }
            }
        }
    };
}

scopes! {
    /// While looking at calls.
    Calls "Calls" [Moving Jumping Main Sending Everywhere];
    /// Moving about: in the list, in a call, in dialogs.
    Moving "Moving, in dialogs too" [Everywhere];
    /// From call to call, in the list and in the plots.
    Jumping "From call to call" [Everywhere];
    /// While a draft is open and nothing is being typed.
    Draft "Draft" [Main Sending Everywhere];
    /// While looking at calls or a draft, with no dialog over them.
    Main "Calls and drafts" [Everywhere];
    /// Where calls are sent from.
    Sending "Sending" [Everywhere];
    /// On every screen.
    Everywhere "Everywhere" [];
    /// While something is typed. What writes a character can mean nothing else there.
    Typing "Typing" [Everywhere];
    /// What answers calls.
    Answers "What answers" [Moving Everywhere];
    /// Calls that wait for the user.
    Held "Calls that wait" [Moving Everywhere];
    /// Rows whose values are gone through: what to replay or export, and how.
    Rows "Replay with options, export" [Moving Everywhere];
    /// What to replay, and how.
    Options "Replay with options" [Rows Moving Sending Everywhere];
    /// What to export, and how.
    Export "Export" [Rows Moving Everywhere];
    /// The export that is under way.
    Exporting "Export under way" [Everywhere];
    /// The replay that runs, or ran.
    Running "Replay under way" [Moving Everywhere];
    /// Two calls side by side.
    Comparison "Comparison" [Moving Everywhere];
    /// The test panel.
    Tester "Test call" [Moving Sending Everywhere];
    /// The known variables.
    Variables "Known variables" [Moving Everywhere];
    /// The fixtures.
    Fixtures "Fixtures" [Moving Everywhere];
    /// What to copy.
    Copy "Copy" [Moving Everywhere];
    /// The plots.
    Plots "Plots" [Moving Jumping Everywhere];
    /// A page that is opened by hand.
    Webview "Webview" [Moving Everywhere];
    /// The recordings of the data directory.
    Recordings "Recordings" [Moving Everywhere];
    /// The help.
    Help "Help" [Moving Everywhere];
    /// A question: any other key is a no.
    Question "Questions" [];
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
    Calls      ReplayMany   "replay with options" ["R"]             "Send calls again: which, where, how fast, what is expected, what goes wrong; while it runs: how far it is";
    Calls      Compare      "compare"         ["c"]                 "Compare the answer with that to the call this one repeats, or two marked calls";
    Calls      Edit         "edit"            ["e"]                 "Edit the payload here, then send it" ("edit");
    Calls      SetValue     "set value"       ["="]                 "Change the value at the cursor and no other byte: in a line, or in its place in a draft";
    Calls      EditOutside  "edit in $EDITOR" ["E"]                 "Edit the payload in $EDITOR, then send it";
    Calls      Test         "test call"       ["t"]                 "Send a built-in call of any kind; what was sent so far" ("test");
    Calls      Fixtures     "fixtures"        ["f"]                 "Drafts that were kept: send or edit one";
    Calls      Webview      "webview"         ["w"]                 "Open a page as a platform does, and wait for its callback" ("webview");
    Calls      Answers      "answers"         ["a"]                 "What answers calls: replies, your own server, faults" ("answers");
    Calls      AnswerSo     "answer so"       ["A"]                 "Answer this kind of call like this from now on";
    Calls      Hold         "hold"            ["i"]                 "The calls that wait for you; without any: hold calls, or let them through" ("hold");
    Calls      Public       "public address"  ["P"]                 "Copy the address that platforms call, or say why they cannot call here";
    Calls      Recordings   "recordings"      ["s"]                 "The recordings of the data directory: their sizes, opening one, removing one";
    Calls      Demo         "demo"            ["D"]                 "Play the built-in conversation through the listener" ("demo");
    Calls      Filter       "filter"          ["/"]                 "Filter the calls; inside a call: search its text" ("filter");
    Calls      NextMatch    "next match"      ["n"]                 "The next match of the search";
    Calls      PreviousMatch "previous match" ["N"]                 "The previous match of the search";
    Calls      Follow       "follow"          ["F"]                 "Follow the newest call, or stay";
    Calls      Plots        "plots"           ["Z"]                 "When calls came and how long they took, by kind" ("plots");
    Calls      Expiration   "expiration"      ["X"]                 "After how long the flow that waits for a page expires";
    Calls      Mark         "mark"            ["m"]                 "Mark the call, or take its mark away" ("mark");
    Calls      ColourMark   "mark in colour"  ["M"]                 "Mark the call in the next colour";
    Calls      Note         "note"            [";"]                 "Write a note on the call; an empty one takes it away";
    Calls      Delete       "delete"          ["d"]                 "Delete the call (hidden, still in the file), or bring a deleted one back";
    Calls      TakeBack     "take back"       ["u"]                 "Take back the last mark, note or deletion";
    Calls      Yank         "copy"            ["y"]                 "Copy of the call: body, value, pointer, headers, curl, report" ("copy");
    Calls      Export       "export"          ["x"]                 "Export calls to a file: as HAR, curl, JSON, Markdown, a page; secrets are masked" ("export");
    Calls      Original     "original"        ["^"]                 "The call that this one repeats";
    Moving     Down         "down"            ["j" "down"]          "One call, line or choice down";
    Moving     Up           "up"              ["k" "up"]            "One call, line or choice up";
    Moving     PageDown     "page down"       ["pgdn" "space" "ctrl-d"] "A page down";
    Moving     PageUp       "page up"         ["pgup" "b" "ctrl-u"] "A page up";
    Moving     Top          "first"           ["g" "home"]          "To the first call, line or choice";
    Moving     Bottom       "last"            ["G" "end"]           "To the last call, line or choice";
    Moving     Open         "open"            ["enter" "l" "right"] "Look into the selected call; in a dialog: take the selected choice" ("look");
    Moving     Back         "back"            ["esc"]               "One level back: out of the dialog, the call, the search, the filter";
    Moving     Fold         "fold"            ["h" "left"]          "Close the branch of the tree, or one level back";
    Jumping    NextInConversation "next in conversation" ["o"]      "The next call of the same conversation";
    Jumping    PreviousInConversation "previous in conversation" ["O"] "The previous call of the same conversation";
    Jumping    NextError    "next error"      [">"]                 "The next call that failed, or was answered with an error";
    Jumping    PreviousError "previous error" ["<"]                 "The call before that failed";
    Jumping    NextSlow     "next slow call"  [")"]                 "The next call that took long (screen.slow); without any the slowest";
    Jumping    PreviousSlow "previous slow call" ["("]              "The slow call before";
    Jumping    NextUnproven "next bad signature" ["}"]              "The next call whose signature is missing or not good";
    Jumping    PreviousUnproven "previous bad signature" ["{"]      "The call before whose signature is missing or not good";
    Draft      Type         "type"            ["e" "i" "enter"]     "Type into the payload" ("type");
    Draft      Send         "send"            ["s"]                 "Send the draft" ("send");
    Draft      SwitchSigning "signing"        ["x"]                 "Sign anew (fresh), or send the signature as it was (exact)" ("signing");
    Draft      Reformat     "reformat"        ["p"]                 "Lay the JSON out prettily (an edit: it is sent as shown)";
    Draft      Revert       "revert"          ["R"]                 "Back to the payload as it was";
    Draft      ClearPayload "clear payload"   ["c"]                 "Empty the payload, to type or paste another one; undo brings it back";
    Draft      Undo         "undo"            ["u" "ctrl-z"]        "Undo";
    Draft      Redo         "redo"            ["U" "ctrl-y"]        "Redo";
    Draft      DraftSearch  "search payload"  ["/"]                 "Search the payload";
    Draft      DraftNext    "next hit"        ["n"]                 "The next hit in the payload";
    Draft      DraftPrevious "previous hit"   ["N"]                 "The previous hit in the payload";
    Draft      DraftOutside "draft in $EDITOR" ["E"]                "Go on in $EDITOR";
    Draft      ScrollDown   "scroll answer"   ["j" "down" "pgdn"]   "Scroll the answer down";
    Draft      ScrollUp     "scroll answer up" ["k" "up" "pgup"]    "Scroll the answer up";
    Draft      SaveFixture  "save as fixture" ["f"]                 "Keep the draft under a name, to be sent again";
    Draft      Close        "close draft"     ["esc" "q"]           "Close the draft" ("close");
    Main       Variables    "variables"       ["V"]                 "The known variables; into a draft one can be put";
    Main       Palette      "palette"         [":"]                 "Find an action by its name";
    Sending    Target       "target"          ["T"]                 "Choose where calls are sent" ("target");
    Sending    Register     "keep variables"  ["$"]                 "Keep what the answer holds under context and output as known variables";
    Everywhere Mask         "mask"            ["*"]                 "Mask what is secret or personal on the screen, or show it";
    Everywhere Mouse        "mouse"           ["S"]                 "Give the mouse to the terminal for selecting text, or take it back";
    Everywhere Log          "log"             ["L"]                 "What was reported so far";
    Everywhere Help         "help"            ["?" "f1"]            "This help" ("help");
    Everywhere Redraw       "redraw"          ["ctrl-l"]            "Draw the screen anew";
    Everywhere Suspend      "suspend"         ["ctrl-z"]            "Back to the shell; fg returns";
    Everywhere Quit         "quit"            ["q" "ctrl-c"]        "Leave hooktape; out of a dialog" ("quit");
    Typing     Take         "take"            ["enter"]             "Take the line as it was typed" ("take");
    Typing     LeaveTyping  "leave typing"    ["esc"]               "Leave the line as it was; in a draft: stop typing; of what is offered: take nothing" ("leave");
    Typing     Complete     "complete"        ["tab"]               "Take what is offered; in an answer: to its status and back" ("complete");
    Typing     NextOffer    "next offer"      ["down"]              "The next of what is offered";
    Typing     PreviousOffer "previous offer" ["up"]                "The one before";
    Typing     SendTyped    "send typed"      ["ctrl-s"]            "Send the draft, or take the answer, as it is typed" ("send");
    Typing     UndoTyping   "undo typing"     ["ctrl-z"]            "Undo" ("undo");
    Typing     RedoTyping   "redo typing"     ["ctrl-y"]            "Redo" ("redo");
    Typing     ClearLine    "clear line"      ["ctrl-u"]            "Delete what stands before the cursor in its line";
    Answers    SetFault     "fault"           ["f"]                 "Answer with a fault" ("fault");
    Answers    HoldThese    "hold these"      ["i"]                 "Hold what comes here, or let it through" ("hold");
    Answers    AsConfigured "as configured"   ["x"]                 "Answer as the configuration says" ("as configured");
    Held       LetGo        "let go"          ["enter" "s"]         "Let the call go on as it is" ("lets it go");
    Held       ForwardHeld  "forward and hold" ["F"]                "Forward the call, and hold its answer";
    Held       EditRequest  "edit request"    ["r"]                 "Edit the request before it is forwarded";
    Held       EditAnswer   "edit answer"     ["e"]                 "Edit the answer, or answer by hand";
    Held       Refuse       "refuse"          ["x"]                 "Refuse the call (503)" ("refuses (503)");
    Held       HoldNoMore   "hold no more"    ["i"]                 "Hold no more calls, or hold them again" ("holds no more");
    Held       HeldDown     "scroll held call" ["J"]                "Scroll what the call holds down";
    Held       HeldUp       "scroll held call up" ["K"]             "Scroll what the call holds up";
    Rows       NextValue    "next value"      ["l" "space" "right" "tab"] "The next value of the row" ("next");
    Rows       PreviousValue "previous value" ["h" "left" "backtab"] "The value before" ("previous");
    Rows       TypeValue    "type value"      ["e"]                 "Type the value of the row; of an export: the file" ("type");
    Rows       Begin        "begin"           ["enter"]             "Begin to send, or to write" ("begins");
    Options    AsAtFirst    "as at first"     ["x"]                 "Every row but the target as it is at first: they stay as they were for the last replay" ("as at first");
    Options    LastReplay   "last replay"     ["v"]                 "The replay that runs, or ran last";
    Exporting  CancelExport "cancel export"   ["esc" "x"]           "Write no more: there is no file then" ("cancels");
    Exporting  Meanwhile    "meanwhile"       ["enter"]             "Let it go on, and do something else meanwhile" ("goes on meanwhile");
    Running    Pause        "pause"           ["p" "space"]         "Pause, or go on";
    Running    CancelReplay "cancel"          ["x"]                 "Send no more";
    Running    OnlyFailures "only failures"   ["f"]                 "List only what is not as expected, or all";
    Running    CompareTargets "compare targets" ["c"]               "Compare the answers of the two targets" ("compare targets");
    Running    ToCall       "to the call"     ["o"]                 "To the call that was sent" ("to the call");
    Comparison NextDifference "next difference" ["n"]               "The next difference";
    Comparison PreviousDifference "previous difference" ["N"]       "The difference before";
    Comparison Ignore       "ignore"          ["x"]                 "Let this difference count no more, here and in replays" ("ignore it");
    Comparison IgnoreInAll  "ignore in all"   ["a"]                 "The same in every element of the arrays it is in" ("ignore in all");
    Comparison IgnoreNothing "ignore nothing" ["X"]                 "Let every difference count again, but for what the configuration names" ("ignore nothing");
    Comparison IgnoreOrder  "ignore order"    ["o"]                 "Let the order of an array's elements count, or not, here and in replays" ("array order");
    Comparison OtherSide    "requests or answers" ["tab" "backtab"] "Compare the requests, or the answers" ("requests, answers");
    Tester     EditTest     "edit test call"  ["e"]                 "Edit the call first" ("edits first");
    Tester     SearchKinds  "search kinds"    ["/"]                 "Search the kinds by name, title, platform" ("searches");
    Tester     History      "what was sent"   ["tab" "backtab"]     "To what was sent so far, and back" ("what was sent");
    Tester     TestDown     "scroll result"   ["J"]                 "Scroll the answer down";
    Tester     TestUp       "scroll result up" ["K"]                "Scroll the answer up";
    Variables  CopyVariable "copy variable"   ["y"]                 "Copy the value" ("copies");
    Variables  Forget       "forget"          ["d"]                 "Forget the variable" ("forgets");
    Fixtures   EditFixture  "edit fixture"    ["e"]                 "Edit the fixture, then send it" ("edits first");
    Fixtures   RemoveFixture "remove fixture" ["d"]                 "Remove the fixture" ("removes");
    Copy       CopyBody     "copy body"       ["b"]                 "Copy the body, as it came";
    Copy       CopyPretty   "copy pretty"     ["p"]                 "Copy the body, laid out for reading";
    Copy       CopyValue    "copy value"      ["v"]                 "Copy the value at the cursor";
    Copy       CopyPointer  "copy pointer"    ["i"]                 "Copy the JSON Pointer of the value at the cursor";
    Copy       CopyHeaders  "copy headers"    ["h"]                 "Copy the headers";
    Copy       CopyResponse "copy response"   ["a"]                 "Copy the response's body";
    Copy       CopyCurl     "copy curl"       ["c"]                 "Copy a curl command that sends it";
    Copy       CopyReport   "copy report"     ["m"]                 "Copy a Markdown report, with secrets masked";
    Plots      Later        "later"           ["l" "right"]         "To the next column that has calls";
    Plots      Earlier      "earlier"         ["h" "left"]          "To the column before that has calls";
    Plots      MoreKinds    "more kinds"      ["pgdn"]              "The next rows of the table of kinds" ("more kinds");
    Plots      FewerKinds   "fewer kinds"     ["pgup"]              "The rows before";
    Webview    CopyUrl      "copy url"        ["y"]                 "Copy the page's address" ("copy the URL");
    Webview    WaitFor      "set expiration"  ["X"]                 "After how long the flow expires" ("expiration");
    Recordings CopyCommand  "copy command"    ["y"]                 "Copy the command that opens the recording" ("copies");
    Recordings RemoveRecording "remove recording" ["d"]             "Remove the recording, after a question" ("removes");
    Help       SearchHelp   "search help"     ["/"]                 "Search the help" ("searches");
    Question   Yes          "yes"             ["y" "Y"]             "Yes: any other key is a no";
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

    /// Whether it means nothing where no calls come.
    #[must_use]
    pub fn needs_listener(self) -> bool {
        matches!(self, Self::Demo | Self::Answers | Self::Hold)
    }

    /// Whether it is about the selected call.
    #[must_use]
    pub fn is_of_a_call(self) -> bool {
        matches!(
            self,
            Self::Replay
                | Self::Compare
                | Self::Edit
                | Self::SetValue
                | Self::EditOutside
                | Self::AnswerSo
                | Self::NextInConversation
                | Self::PreviousInConversation
                | Self::Expiration
                | Self::Mark
                | Self::ColourMark
                | Self::Note
                | Self::Delete
                | Self::Yank
                | Self::Original
                | Self::Jq
        )
    }

    /// Whether it means nothing while there is no call.
    #[must_use]
    pub fn needs_call(self) -> bool {
        matches!(self.entry().scope, Scope::Calls | Scope::Jumping | Scope::Moving)
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
        let essential = |entry: &&Entry| {
            // What is typed is sent, and undone, outside of typing too.
            entry.scope != Scope::Typing && !matches!(entry.action, Action::Redraw | Action::Suspend)
        };
        for entry in TABLE.iter().filter(essential) {
            assert!(entry.keys.iter().any(|key| !key.contains("ctrl-")), "{}", entry.name);
        }
    }
}
