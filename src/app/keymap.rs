//! What keys mean: the action table's own keys, but for those that `[keys]` of the configuration binds anew.

use crossterm::event::KeyEvent;

use crate::app::action::{Action, Entry, Scope, TABLE};
use crate::app::keys;
use crate::config::{self, Binding, meant};

/// The key that leaves whatever is bound.
const LEAVES: &str = "ctrl-c";

/// Whether a key leaves whatever it is bound to.
#[must_use]
pub fn leaves(key: KeyEvent) -> bool {
    keys::name(key).is_some_and(|name| name == LEAVES)
}

/// Whether a key writes a character where something is typed.
fn writes(key: &str) -> bool {
    key == "space" || key.chars().count() == 1
}

/// The keys of every action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keymap {
    /// In the order of the table.
    keys: Vec<Vec<String>>,
}

impl Default for Keymap {
    /// The table's own.
    fn default() -> Self {
        let own = |entry: &Entry| entry.keys.iter().map(|key| (*key).to_owned()).collect();
        Self { keys: TABLE.iter().map(own).collect() }
    }
}

impl Keymap {
    /// The table's keys with these bindings in place of its own.
    ///
    /// # Errors
    /// Every action or key that there is not, and every key that would mean two things: where it stands, and a repair.
    pub fn new(bindings: &[Binding]) -> Result<Self, config::Errors> {
        let mut map = Self::default();
        let mut bound: Vec<Option<&Binding>> = vec![None; TABLE.len()];
        let mut errors = Vec::new();
        for binding in bindings {
            if let Err(message) = map.bind(binding, &mut bound) {
                errors.push(binding.error(message));
            }
        }
        for (entry, binding) in TABLE.iter().zip(&bound).filter_map(|(entry, binding)| Some((entry, (*binding)?))) {
            let taken = map.keys(entry.action).iter().find_map(|key| map.check(entry, key).err());
            errors.extend(taken.map(|message| binding.error(message)));
        }
        if errors.is_empty() { Ok(map) } else { Err(config::Errors(errors)) }
    }

    /// Puts a binding's keys in place of those of its action.
    fn bind<'a>(&mut self, binding: &'a Binding, bound: &mut [Option<&'a Binding>]) -> Result<(), String> {
        let action = find(&binding.action)?;
        let number = action as usize;
        let keys = binding.keys.iter().map(|key| read(key, action)).collect::<Result<_, _>>()?;
        if bound[number].replace(binding).is_some() {
            return Err(format!("`{}` is bound above already", slug(action.entry().name)));
        }
        self.keys[number] = keys;
        Ok(())
    }

    /// Whether a key that was bound to an action is free to mean it.
    fn check(&self, entry: &Entry, key: &str) -> Result<(), String> {
        let meets = |other: &&Entry| {
            let meet = entry.scope.chain().contains(&other.scope) || other.scope.chain().contains(&entry.scope);
            // What both have by the table is told apart.
            let both = entry.keys.contains(&key) && other.keys.contains(&key);
            other.action != entry.action
                && meet
                && !both
                && !(writes(key) && [entry.scope, other.scope].contains(&Scope::Typing))
                && self.keys(other.action).iter().any(|taken| taken == key)
        };
        match TABLE.iter().find(meets) {
            None => Ok(()),
            Some(other) => Err(format!(
                "the key `{key}` means `{name}` already: choose another, or bind `{name}` to others too (`[]`: to none)",
                name = slug(other.name),
            )),
        }
    }

    /// The keys of an action; the first is the one that hints show.
    #[must_use]
    pub fn keys(&self, action: Action) -> &[String] {
        self.keys.get(action as usize).map_or(&[], Vec::as_slice)
    }

    /// The first of them, or the name by which the palette finds the action.
    #[must_use]
    pub fn key(&self, action: Action) -> &str {
        self.keys(action).first().map_or(action.entry().name, String::as_str)
    }

    /// What `key` means on a screen of `scope`. What the screen itself means by a key comes before what the key means
    /// everywhere.
    #[must_use]
    pub fn action(&self, key: KeyEvent, scope: Scope) -> Option<Action> {
        let name = keys::name(key)?;
        if name == LEAVES {
            return Some(Action::Quit);
        }
        if scope == Scope::Typing && writes(&name) {
            return None;
        }
        let meaning = |wanted: &Scope| {
            let mut entries = TABLE.iter().filter(|entry| entry.scope == *wanted);
            entries.find(|entry| self.keys(entry.action).contains(&name)).map(|entry| entry.action)
        };
        scope.chain().iter().find_map(meaning)
    }

    /// The keys of an action that mean it on a screen of `scope`.
    pub fn meant(&self, action: Action, scope: Scope) -> impl Iterator<Item = &str> {
        let meant = move |key: &&String| keys::parse(key).and_then(|key| self.action(key, scope)) == Some(action);
        self.keys(action).iter().filter(meant).map(String::as_str)
    }

    /// The first of them.
    #[must_use]
    pub fn hint(&self, action: Action, scope: Scope) -> Option<&str> {
        self.meant(action, scope).next()
    }
}

/// The name of an action as the configuration has it: `next tab` is `next-tab`, `edit in $EDITOR` is `edit-in-editor`.
#[must_use]
pub fn slug(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-")
}

fn find(name: &str) -> Result<Action, String> {
    let wanted = slug(name);
    if let Some(entry) = TABLE.iter().find(|entry| slug(entry.name) == wanted) {
        return Ok(entry.action);
    }
    let names: Vec<String> = TABLE.iter().map(|entry| slug(entry.name)).collect();
    let meant = meant(&wanted, &names.iter().map(String::as_str).collect::<Vec<_>>());
    let listed = || "`?` on the screen and the README list them".to_owned();
    Err(format!("there is no such action: {}", meant.unwrap_or_else(listed)))
}

/// The key as the table has it.
fn read(key: &str, action: Action) -> Result<String, String> {
    let name = keys::parse(key).and_then(keys::name);
    match name.as_deref() {
        None => Err(format!("`{key}` is no key: write it as `j`, `G`, `space`, `pgdn`, `f5`, `ctrl-r` or `alt-x`")),
        Some(LEAVES) if action != Action::Quit => Err("ctrl-c always leaves: choose another key".to_owned()),
        Some(name) if action.entry().scope == Scope::Typing && writes(name) => {
            Err(format!("`{name}` is a character to type: choose a key with ctrl or alt, or one such as f5"))
        }
        Some(name) => Ok(name.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Sources};

    fn map(text: &str) -> Result<Keymap, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hooktape.toml");
        std::fs::write(&path, text).unwrap();
        let sources = Sources { explicit: Some(path), directory: folder.path().to_owned(), ..Sources::default() };
        let config = Config::load(&sources).map_err(|error| error.to_string())?;
        Keymap::new(&config.keys).map_err(|error| error.to_string())
    }

    fn press(map: &Keymap, key: &str, scope: Scope) -> Option<Action> {
        map.action(keys::parse(key).unwrap(), scope)
    }

    #[test]
    fn a_binding_takes_the_place_of_the_tables_keys() {
        let map = map("[keys]\nreplay = [\"ctrl-r\", \"f5\"]\n\"edit-in-editor\" = []\n\"next tab\" = \"]\"").unwrap();
        assert_eq!(press(&map, "ctrl-r", Scope::Calls), Some(Action::Replay));
        assert_eq!(press(&map, "r", Scope::Calls), None);
        assert_eq!(map.hint(Action::Replay, Scope::Calls), Some("ctrl-r"));
        assert_eq!(map.keys(Action::EditOutside), [""; 0]);
        assert_eq!(map.key(Action::EditOutside), "edit in $EDITOR");
        assert_eq!(press(&map, "tab", Scope::Calls), None);
        // What is everywhere gives way to the draft's own meaning, but nothing else does.
        assert_eq!(press(&map, "q", Scope::Draft), Some(Action::Close));
        assert_eq!(map.hint(Action::Quit, Scope::Draft), Some("ctrl-c"));
    }

    #[test]
    fn faults_name_place_and_repair() {
        let faults = [
            (
                "[keys]\nrepaly = \"x\"",
                "hooktape.toml:2:10: keys.repaly: there is no such action: did you mean \"replay\"?",
            ),
            ("[keys]\nreplay = \"ctrl\"", "2:10: keys.replay: `ctrl` is no key: write it as"),
            ("[keys]\nreplay = \"e\"", "keys.replay: the key `e` means `edit` already: choose another, or bind `edit`"),
            ("[keys]\nreplay = \"T\"", "the key `T` means `target` already"),
            ("[keys]\nlog = \"j\"", "the key `j` means `down` already"),
            ("[keys]\nreplay = \"ctrl-c\"", "ctrl-c always leaves"),
            ("[keys]\nnext-tab = \"f7\"\n\"next tab\" = \"f8\"", "`next-tab` is bound above already"),
            ("[keys]\nreplay = 5", "keys.replay: this is a string"),
        ];
        for (text, wanted) in faults {
            let error = map(text).unwrap_err();
            assert!(error.contains(wanted), "{text}: {error}");
        }
        // What the table has twice, whoever says it.
        assert_eq!(press(&map("[keys]\nquit = [\"q\", \"f10\"]").unwrap(), "q", Scope::Draft), Some(Action::Close));
        // Two that change places are no conflict.
        let swapped = map("[keys]\nreplay = \"e\"\nedit = \"r\"").unwrap();
        assert_eq!(press(&swapped, "e", Scope::Calls), Some(Action::Replay));
    }

    #[test]
    fn what_is_typed_is_no_other_key_and_dialogs_keys_can_be_bound() {
        let bound = map("[keys]\ndown = \"f7\"\n\"send typed\" = \"f5\"\nrefuse = \"R\"\nquit = \"Q\"").unwrap();
        assert_eq!(press(&bound, "?", Scope::Typing), None);
        assert_eq!(press(&bound, "f1", Scope::Typing), Some(Action::Help));
        assert_eq!(press(&bound, "f5", Scope::Typing), Some(Action::SendTyped));
        assert_eq!(press(&bound, "R", Scope::Held), Some(Action::Refuse));
        assert_eq!(press(&bound, "x", Scope::Held), None);
        assert_eq!(press(&bound, "f7", Scope::Comparison), Some(Action::Down));
        assert_eq!(press(&bound, "ctrl-c", Scope::Question), Some(Action::Quit), "it leaves whatever is bound");
        for (text, wanted) in [
            ("refuse = \"e\"", "the key `e` means `edit-answer` already"),
            ("down = \"n\"", "the key `n` means `next-match` already"),
            ("\"next match\" = []\ndown = \"n\"", "the key `n` means `next-difference` already"),
            ("take = \"x\"", "`x` is a character to type"),
            ("\"undo typing\" = \"ctrl-l\"", "the key `ctrl-l` means `redraw` already"),
        ] {
            let error = map(&format!("[keys]\n{text}")).unwrap_err();
            assert!(error.contains(wanted), "{text}: {error}");
        }
    }

    #[test]
    fn every_action_can_be_named() {
        for entry in TABLE {
            assert_eq!(find(&slug(entry.name)), Ok(entry.action), "{}", entry.name);
            assert_eq!(find(entry.name), Ok(entry.action));
        }
    }
}
