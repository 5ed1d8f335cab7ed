//! Replaying as fast as it goes against wrk and the least that could do it, at even distances against the clock, and comparing two recordings against
//! reading them.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;

use crate::measure::{Sample, judge, take_turns};
use crate::{load, tape};

const CALLS: u64 = 100_000;
const HOOKTAPE: &str = env!("CARGO_BIN_EXE_hooktape");

/// The endpoint: a process of its own that answers everything with the same few bytes. It prints its address first.
pub fn sink() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}", socket.local_addr().unwrap());
        std::io::stdout().flush().unwrap();
        loop {
            let (stream, _) = socket.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let answer = service_fn(|request: hyper::Request<hyper::body::Incoming>| async move {
                // Read to its end, as whoever checks a signature must.
                let _ = http_body_util::BodyExt::collect(request.into_body()).await;
                Ok::<_, std::convert::Infallible>(hyper::Response::new(Full::new(bytes::Bytes::from_static(
                    b"{\"context\":{}}",
                ))))
            });
            tokio::spawn(async move {
                let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
            });
        }
    });
}

struct Sink(Child, SocketAddr);

impl Sink {
    fn start() -> Self {
        let mut child =
            Command::new(std::env::current_exe().unwrap()).arg("--sink").stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let out = child.stdout.as_mut().unwrap();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line).unwrap();
        Self(child, line.trim().parse().unwrap())
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The program's summary of a replay, as JSON.
fn replay(tape: &Path, sink: &Sink, args: &[&str]) -> Value {
    let sent = tape.with_file_name("replayed.jsonl");
    let _ = std::fs::remove_file(&sent);
    let mut command = Command::new(HOOKTAPE);
    command.arg("replay").arg(tape).args(["--to", &format!("http://{}/", sink.1), "--quiet", "--format", "json"]);
    command.args(["--secret", "moveo=env:TOKEN", "--record"]).arg(&sent).args(args).env("TOKEN", load::TOKEN);
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let summary = text.lines().last().unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    serde_json::from_str(summary).unwrap()
}

/// Replaying, as fast as it goes and at a rate.
pub fn run(folder: &Path, rounds: usize) {
    let calls = tape::make_of(folder, CALLS, 2_000);
    let sink = Sink::start();
    let script = folder.join("wrk.lua");
    let body = load::body(2_000);
    let lua = format!(
        "wrk.method = \"POST\"\nwrk.body = [==[{body}]==]\nwrk.headers[\"Content-Type\"] = \"application/json\"\n\
         wrk.headers[\"X-Moveo-Signature\"] = \"{}\"\n",
        load::signature(body.as_bytes())
    );
    std::fs::write(&script, lua).unwrap();
    let (mut ours, mut least, mut wrks) = (Sample::default(), Sample::default(), Sample::default());
    take_turns(rounds, 3, |turn| {
        if turn == 0 {
            let summary = replay(&calls, &sink, &["--concurrency", "32"]);
            assert_eq!(summary["fine"], CALLS, "{summary}");
            ours.push(summary["rate"].as_f64().unwrap());
        } else if turn == 1 {
            let mut command = Command::new(std::env::current_exe().unwrap());
            let output = command.args(["--least", &sink.1.to_string()]).arg(&calls).output().unwrap();
            least.push(String::from_utf8(output.stdout).unwrap().trim().parse().unwrap());
        } else {
            let url = format!("http://{}/", sink.1);
            let mut wrk = Command::new("wrk");
            wrk.args(["-t1", "-c32", "-d4s", "-s"]).arg(&script).arg(url);
            let text = String::from_utf8(wrk.output().expect("wrk is installed").stdout).unwrap();
            let rate = text.lines().find_map(|line| line.strip_prefix("Requests/sec:")).unwrap();
            wrks.push(rate.trim().parse().unwrap());
        }
    });
    println!("replay: {CALLS} calls of 2 KB, signed anew, each result recorded, 32 at a time");
    println!("  hooktape {ours} calls a second, wrk {wrks}");
    println!("  read, sign, send, write and no more: {least}, to wrk's {}", least.ratio(&wrks));
    judge("rate, to wrk's", &ours.ratio(&wrks), 0.55, true);
    for (rate, args) in [(10_000.0, vec!["--rate", "10000"]), (500.0, vec!["--rate", "500", "--query", "conv:0"])] {
        let summary = replay(&calls, &sink, &[&args[..], &["--concurrency", "64"]].concat());
        let (late, got) = (summary["late"]["p99_us"].as_f64().unwrap() / 1000.0, summary["rate"].as_f64().unwrap());
        println!("replay: {rate} calls a second; a thread that only sleeps is {} late", asleep(rate));
        judge("rate, to what was asked", &Sample::one(got / rate), 0.99, true);
        judge("ms later than due, 99th percentile", &Sample::one(late), 2.0, false);
    }
}

/// How late a thread is at the 99th percentile that has nothing to do but to be in time, for two seconds.
fn asleep(rate: f64) -> String {
    let (begun, each) = (Instant::now(), Duration::from_secs_f64(1.0 / rate));
    let moments = (1..).map(|number| begun + each * number).take_while(|due| *due < begun + Duration::from_secs(2));
    let mut late: Vec<Duration> = moments
        .map(|due| {
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            due.elapsed()
        })
        .collect();
    late.sort();
    format!("{:.1?}", late[late.len() * 99 / 100 - 1])
}

/// Comparing two recordings, of which every call differs in a field.
pub fn diff(folder: &Path, rounds: usize) {
    let left = tape::make(folder, CALLS);
    let right = folder.join("other.jsonl");
    let text = std::fs::read_to_string(&left).unwrap();
    std::fs::write(&right, text.replace("\"padding\":\"lorem", "\"padding\":\"other")).unwrap();
    let (mut ours, mut least) = (Sample::default(), Sample::default());
    take_turns(rounds, 2, |turn| {
        let began = Instant::now();
        if turn == 0 {
            let output = Command::new(HOOKTAPE).arg("diff").args([&left, &right]).output().unwrap();
            assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
            ours.push(began.elapsed().as_secs_f64());
            return;
        }
        Command::new("wc").arg("-l").args([&left, &right]).output().unwrap();
        for file in [&left, &right] {
            let text = std::fs::read_to_string(file).unwrap();
            let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
            assert!(lines.filter(Value::is_object).count() as u64 > CALLS);
        }
        least.push(began.elapsed().max(Duration::from_micros(1)).as_secs_f64());
    });
    println!("diff: two recordings of {CALLS} calls, all different");
    println!("  hooktape {ours} s, `wc -l` and one full parse of both {least} s");
    judge("time, to theirs", &ours.ratio(&least), 5.0, false);
}
