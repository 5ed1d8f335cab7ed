//! How platforms reach the listener: the public address, and what to do where there is none.

use crate::app::App;
use crate::app::action::Action;
use crate::app::event::{Effect, Notice};
use crate::net::base_url;
use crate::net::tunnel::Tunnel;

impl App {
    /// Takes in how the tunnel does.
    pub(super) fn tunnelled(&mut self, tunnel: Tunnel) {
        match &tunnel {
            Tunnel::Up(_) => {
                let key = self.keymap.key(Action::Public);
                self.tell(Notice::info(format!("{tunnel} ({key} copies it)")));
            }
            Tunnel::Starting(None) => {}
            Tunnel::Starting(Some(_)) => self.tell(Notice::info(self.quote(&tunnel.to_string()))),
            Tunnel::Lost(..) | Tunnel::Ended(..) => self.tell(Notice::error(self.quote(&tunnel.to_string()))),
        }
        self.tunnel = Some(tunnel);
    }

    /// The address that platforms call, without a path, where one is known.
    #[must_use]
    pub fn public_url(&self) -> Option<&str> {
        let configured = self.setup.config.listen.public_url.as_deref();
        configured.or(match &self.tunnel {
            Some(Tunnel::Up(url) | Tunnel::Lost(url, _)) => Some(url),
            _ => None,
        })
    }

    /// Why a platform in the cloud cannot call the listener, with the repair: none where it may be able to.
    #[must_use]
    pub fn unreachable(&self) -> Option<String> {
        let address = self.setup.listener?;
        if self.public_url().is_some() {
            return None;
        }
        let url = base_url(address);
        match &self.tunnel {
            Some(tunnel) => {
                Some(format!("no platform can call {url} from the cloud yet: {}", self.quote(&tunnel.to_string())))
            }
            None if address.ip().is_loopback() => Some(format!(
                "{url} is an address of this machine alone: no platform in the cloud can call it. \
                 Start with --tunnel \"cloudflared tunnel --url {{url}}\", or any tunnel of yours"
            )),
            None => None,
        }
    }

    /// Copies the address that platforms call, or says why they cannot.
    pub(super) fn copy_public(&mut self) -> Vec<Effect> {
        let Some(address) = self.setup.listener else {
            self.tell(Notice::warning("no calls come here: start hooktape without `open`"));
            return Vec::new();
        };
        if let Some(why) = self.unreachable() {
            self.tell(Notice::warning(why));
            return Vec::new();
        }
        vec![Effect::Copy(self.public_url().map_or_else(|| base_url(address), ToOwned::to_owned))]
    }
}
