//! Profiles as Markdown, which is also what the terminal shows.

use std::{fmt::Write as _, time::Duration};

use super::{Profile, Told};
use crate::report::numbers;

/// Says what each hop did.
#[must_use]
pub fn render(profiles: &[Profile]) -> String {
    let mut text = String::new();
    for profile in profiles {
        let Profile { table, rows, driver, core, client } = profile;
        line(&mut text, &format!("### {table}: {rows} rows, {} at the client\n", seconds(client.elapsed)));
        line(&mut text, "| hop | ran | waited | times |");
        line(&mut text, "| --- | ---: | ---: | ---: |");
        let wait = driver.span("driver waits for server");
        let encode = driver.span("driver encodes");
        let send = driver.span("driver sends");
        // The driver is one thread: when it neither waits nor encodes nor sends, it decodes.
        let others = wait.total() + encode.total() + send.total();
        let decode = driver.elapsed.saturating_sub(others);
        row(&mut text, "driver waits for the server, and receives", wait);
        row(&mut text, "driver decodes", Span { busy: decode, ..Span::default() });
        row(&mut text, "driver encodes batches", encode);
        row(&mut text, "driver waits until a batch is taken", Span { busy: Duration::ZERO, ..send });
        // Core's other children are spares, which start and wait.
        let driver_cpu = core.children_cpu;
        let driver_socket = driver_cpu.saturating_sub(wait.busy + decode + encode.busy);
        row(
            &mut text,
            "driver: all else, gRPC and its socket",
            Span { busy: driver_socket, ..Span::default() },
        );
        let receive = core.span("Core receives");
        row(&mut text, "Core receives from the driver, decodes", receive);
        row(&mut text, "Core waits for the client", core.span("Core waits for reader"));
        let core_rest = core.cpu.saturating_sub(receive.busy);
        row(&mut text, "Core: all else, gRPC and its sockets", Span { busy: core_rest, ..Span::default() });
        let received = client.span("client receives");
        row(&mut text, "client receives, decodes", received);
        let rendered = client.span("client renders");
        row(&mut text, "client renders CSV", rendered);
        let client_rest = client.cpu.saturating_sub(received.busy + rendered.busy);
        row(
            &mut text,
            "client: all else, gRPC and its socket",
            Span { busy: client_rest, ..Span::default() },
        );
        line(
            &mut text,
            &format!(
                "\nProcessor time: driver {}, Core {} (both with their start and end), client {}.\n",
                seconds(driver_cpu),
                seconds(core.cpu),
                seconds(client.cpu)
            ),
        );
    }
    text
}

#[derive(Debug, Clone, Copy, Default)]
struct Span {
    busy: Duration,
    waiting: Duration,
    count: u64,
}

impl Span {
    fn total(self) -> Duration {
        self.busy + self.waiting
    }
}

impl Told {
    /// The spans of one name; none are none.
    fn span(&self, name: &str) -> Span {
        let figure = self.figures.iter().find(|figure| figure.name == name);
        figure.map_or_else(Span::default, |figure| Span {
            busy: figure.busy,
            waiting: figure.waiting,
            count: figure.count,
        })
    }
}

fn row(text: &mut String, name: &str, Span { busy, waiting, count }: Span) {
    let shown = |duration: Duration| if duration.is_zero() { String::new() } else { seconds(duration) };
    let count = if count == 0 { String::new() } else { count.to_string() };
    line(text, &format!("| {name} | {} | {} | {count} |", shown(busy), shown(waiting)));
}

fn seconds(duration: Duration) -> String {
    numbers::seconds(duration.as_secs_f64())
}

fn line(text: &mut String, words: &str) {
    writeln!(text, "{words}").expect("a string takes all");
}
