//! What all commands with a listener have in common: `listen`, `webview` and the screen.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use color_eyre::eyre;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::cli::context::Context;
use crate::net::listener::{self, Lane};
use crate::net::presence::Presence;
use crate::net::tunnel::{Keeper, Tunnel};

/// How often the targets that calls are forwarded to are looked at.
const WATCH: Duration = Duration::from_secs(3);

/// A listener that has its port and serves nobody yet: who calls now waits.
pub(super) struct Bound {
    socket: TcpListener,
    pub(super) address: SocketAddr,
    presence: Option<Arc<Presence>>,
}

impl Bound {
    /// Takes the configured port, before anything is recorded: a listener that cannot have it leaves no recording behind. Other
    /// processes are told of it.
    pub(super) async fn new(context: &Context) -> eyre::Result<Self> {
        let socket = listener::bind(context.config.listen.address).await?;
        let address = socket.local_addr()?;
        Ok(Self { socket, address, presence: context.announce(address) })
    }

    /// Serves from now on, by the tunnel as well if one is configured; `observer` is told of that one.
    ///
    /// # Errors
    /// When the tunnel's program cannot be started.
    pub(super) fn serve(
        self,
        context: &Context,
        lane: Arc<Lane>,
        observer: impl Fn(Tunnel) + Send + Sync + 'static,
    ) -> eyre::Result<Serving> {
        let Self { socket, address, presence } = self;
        let tunnel = tunnel(context, address, &lane, presence.clone(), observer)?;
        let responders = lane.responders.clone();
        let watching = tokio::spawn(async move { responders.watch(WATCH).await });
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(listener::serve(socket, lane, async move {
            // Also when the other end is gone: then nobody waits any more.
            let _ = stopped.await;
        }));
        Ok(Serving { stop, task, watching, tunnel, _presence: presence })
    }
}

/// A listener at work. Dropped, it takes no further calls, and nobody waits for those on their way.
pub(super) struct Serving {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
    watching: JoinHandle<()>,
    tunnel: Option<Keeper>,
    _presence: Option<Arc<Presence>>,
}

impl Serving {
    /// Whether a tunnel leads to it.
    pub(super) fn has_a_tunnel(&self) -> bool {
        self.tunnel.is_some()
    }

    /// Takes no further calls. Those on their way get a moment to be answered, by the tunnel as well: that ends last.
    pub(super) async fn end(self) -> eyre::Result<()> {
        let _ = self.stop.send(());
        let served = self.task.await;
        self.watching.abort();
        if let Some(tunnel) = self.tunnel {
            tunnel.stop().await;
        }
        Ok(served?)
    }
}

/// The tunnel, if one is configured. Its address is told to other processes as the listener itself is.
fn tunnel(
    context: &Context,
    address: SocketAddr,
    lane: &Lane,
    presence: Option<Arc<Presence>>,
    observer: impl Fn(Tunnel) + Send + Sync + 'static,
) -> eyre::Result<Option<Keeper>> {
    let listen = &context.config.listen;
    let Some(command) = &listen.tunnel else { return Ok(None) };
    // Where an address is configured, that one is announced already.
    let presence = presence.filter(|_| listen.public_url.is_none());
    let observer = move |tunnel| {
        if let (Some(presence), Tunnel::Up(url)) = (&presence, &tunnel) {
            // Where it cannot be said, others do not leave that address alone.
            let _ = presence.is_reached_by(url);
        }
        observer(tunnel);
    };
    let keeper = Keeper::start(listen, command, address, lane.reach.clone(), Box::new(observer));
    keeper.map(Some).map_err(|error| eyre::eyre!(error))
}
