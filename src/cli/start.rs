//! From parsed arguments to the command that runs.

use std::io::IsTerminal;

use color_eyre::eyre::{self, eyre};

use crate::cli::context::Context;
use crate::cli::{Cli, Command, Outcome, print};
use crate::net::descriptors;

pub(super) fn run(cli: Cli) -> eyre::Result<Outcome> {
    // These must work where a configuration or a pack is broken.
    match &cli.command {
        Some(Command::Completions(args)) => return super::completions::run(args),
        Some(Command::Init(args)) => return super::init::run(&cli.common, args),
        Some(Command::Jq) => return super::jq::run(),
        Some(Command::Doctor(args)) => return super::doctor::run(&cli.common, args),
        Some(Command::Platforms(args)) if let Some(path) = args.checked() => {
            return super::platforms::check(path, cli.common.format);
        }
        _ => {}
    }
    let lane = match &cli.command {
        Some(Command::Listen(args)) => Some(args),
        Some(Command::Webview(super::webview::Command::Open(args))) => Some(&args.lane),
        // What a start would take from the environment: on the command line nothing of it stands before a command.
        None | Some(Command::Config(_)) => Some(&cli.lane),
        Some(_) => None,
    };
    let context = Context::load(&cli.common, lane)?;
    descriptors::raise();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(dispatch(&context, cli));
    // An endpoint that never answers must not keep us from leaving.
    runtime.shutdown_background();
    outcome
}

async fn dispatch(context: &Context, cli: Cli) -> eyre::Result<Outcome> {
    match cli.command {
        None if std::io::stdout().is_terminal() => {
            Box::pin(super::screen::listening(context, &cli.lane, cli.to.as_deref())).await
        }
        None if cli.to.is_some() => Err(eyre!(
            "--to is for the terminal program, and standard output is no terminal: leave it out, and this is `hooktape listen`"
        )),
        None => {
            print::note("hooktape: standard output is no terminal, so this is `hooktape listen`");
            super::listen::run(context, &cli.lane).await
        }
        Some(Command::Listen(args)) => super::listen::run(context, &args).await,
        Some(Command::Open(args)) => super::screen::opened(context, &args).await,
        Some(Command::Show(args)) => super::show::run(context, &args),
        Some(Command::Verify(args)) => super::verify::run(context, &args),
        Some(Command::Compact(args)) => super::compact::run(context, &args),
        Some(Command::Recordings) => super::recordings::list(context),
        Some(Command::Prune(args)) => super::recordings::prune(context, &args),
        Some(Command::Send(args)) => super::send::run(context, &args).await,
        Some(Command::Replay(args)) => super::replay::run(context, &args).await,
        Some(Command::Diff(args)) => super::diff::run(context, &args),
        Some(Command::Fixtures(args)) => super::fixtures::run(context, &args),
        Some(Command::Variables(args)) => super::variables::run(context, &args),
        Some(Command::Export(args)) => super::export::run(context, &args),
        Some(Command::Import(args)) => super::import::run(context, &args).await,
        Some(Command::Demo(args)) => super::demo::run(context, &args).await,
        Some(Command::Keys(command)) => super::keys::run(context, &command),
        Some(Command::Webview(super::webview::Command::Open(args))) => super::webview::run(context, &args).await,
        Some(Command::Platforms(args)) => super::platforms::run(context, &args),
        Some(Command::Config(command)) => super::config::run(context, &command, cli.lane.record.record),
        Some(Command::Completions(args)) => super::completions::run(&args),
        Some(Command::Init(args)) => super::init::run(&cli.common, &args),
        Some(Command::Doctor(args)) => super::doctor::run(&cli.common, &args),
        Some(Command::Jq) => super::jq::run(),
    }
}
