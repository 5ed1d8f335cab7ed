//! What is secret or personal by its name.

use std::collections::HashSet;

use memchr::memchr3;

/// Headers and fields that hold credentials. Letters and digits count, a `*` at either end stands for anything: a name that
/// only begins with `token` counts something as a rule (`token_count`), one that ends with it is one.
pub const SECRETS: &[&str] = &[
    "*authorization",
    "*cookie",
    "cookies",
    "*password*",
    "*passwd*",
    "*passphrase*",
    "*passcode*",
    "*pwd",
    "*secret*",
    "*credential*",
    "*token",
    "*jwt*",
    "bearer",
    "jsessionid",
    "*sessid",
    "session_key",
    "connection_string",
    "security_answer",
    "*api_key*",
    "*access_key*",
    "*account_key*",
    "*auth_key*",
    "*auth_code",
    "*encryption_key*",
    "*functions_key*",
    "*master_key*",
    "*private_key*",
    "*shared_key*",
    "*signing_key*",
    "*subscription_key*",
    "*csrf*",
    "*xsrf*",
    "*signature",
    "*sig",
    "*hmac*",
    "*otp",
    "*cvv*",
    "*cvc*",
    "*security_code",
];

/// Headers besides. A signature is one of them: without a time in it, whoever has it can send the call again.
pub const HEADERS: &[&str] = &[
    "x-auth*",
    "*-auth",
    "authentication-info",
    "session",
    "x-key",
    "x-amzn-oidc-*",
    "*token*",
    "*signature*",
    "forwarded",
    "x-forwarded-for",
    "x-real-ip",
    "cf-connecting-ip",
    "true-client-ip",
];

/// Fields besides: mostly what names a person.
pub const FIELDS: &[&str] = &[
    "pass",
    // Whole names: others that end so say whether there is any, or how. What is called a session is the conversation with many
    // platforms (Moveo, Cognigy, Dialogflow), and calls are found by it.
    "auth",
    "basic_auth",
    "http_auth",
    "proxy_auth",
    "asp_net_session_id",
    "ssn",
    "*social_security*",
    "*card_number",
    "iban",
    "email",
    "email_address",
    "phone",
    "phone_number",
    "user_id",
];

/// Fields that are named as credentials are, and are none: the ids of a message, without which nobody finds it again. Whole
/// names: what only ends so is a credential.
pub const IDS: &[&str] = &[
    // Viber: "unique ID of the message".
    "message_token",
    // LINE: which message a reply is to; it takes the channel's access token to use it, once and within a minute.
    "reply_token",
];

/// Names, some of them with a `*` at their ends.
#[derive(Clone, Debug)]
pub(super) struct Names {
    whole: HashSet<String>,
    parts: Vec<Part>,
    spared: HashSet<String>,
}

#[derive(Clone, Debug)]
struct Part {
    text: String,
    /// Whether something may stand before it, and behind it.
    open: (bool, bool),
}

impl Names {
    pub(super) fn new<'a>(patterns: impl Iterator<Item = &'a str>) -> Self {
        let mut names = Self { whole: HashSet::new(), parts: Vec::new(), spared: HashSet::new() };
        for pattern in patterns {
            let text = plain(pattern);
            match (pattern.starts_with('*'), pattern.ends_with('*')) {
                (false, false) => drop(names.whole.insert(text)),
                open => names.parts.push(Part { text, open }),
            }
        }
        names
    }

    /// The names without these, whichever of the names they fit.
    pub(super) fn but<'a>(self, names: impl Iterator<Item = &'a str>) -> Self {
        Self { spared: names.map(plain).collect(), ..self }
    }

    /// Whether one of them fits a name, or a part of one that names something in something: `user[ssn]` and `login[pass][]` of a
    /// form, `user.iban`, `/claims/email`.
    pub(super) fn have(&self, name: &str) -> bool {
        if self.fit(name) {
            return true;
        }
        if memchr3(b'[', b'.', b'/', name.as_bytes()).is_none() || name.contains(char::is_whitespace) {
            return false;
        }
        // In brackets it is as in JSON: what is outside covers what is inside. Signs between words may mean less.
        let (outside, inside) = name.split_once('[').unwrap_or((name, ""));
        let last = outside.rsplit(['.', '/']).find(|part| part.contains(char::is_alphabetic));
        last.into_iter().chain(inside.split(['[', ']'])).any(|part| self.fit(part))
    }

    fn fit(&self, name: &str) -> bool {
        let name = plain(name);
        if self.spared.contains(&name) {
            return false;
        }
        let fits = |Part { text, open }: &Part| match open {
            (true, true) => name.contains(text),
            (true, false) => name.ends_with(text),
            _ => name.starts_with(text),
        };
        self.whole.contains(&name) || self.parts.iter().any(fits)
    }
}

/// A name without what people write differently: `access_token`, `accessToken`, `Access-Token`.
fn plain(name: &str) -> String {
    name.chars().filter(|char| char.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
