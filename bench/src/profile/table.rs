//! Profiles as Markdown, which is also what the terminal shows.

use std::{fmt::Write as _, time::Duration};

use super::{Profile, Told};
use crate::report::numbers;

/// Says what each hop did.
#[must_use]
pub(super) fn render(profiles: &[Profile]) -> String {
    let mut text = String::new();
    for Profile { table, rows, driver, core, client } in profiles {
        line(&mut text, &format!("### {table}: {rows} rows, {} at the client\n", seconds(client.elapsed)));
        line(&mut text, "| hop | processor | ran | waited | times |");
        line(&mut text, "| --- | ---: | ---: | ---: | ---: |");
        let (wait, encode) = (driver.span("driver waits for server"), driver.span("driver encodes"));
        let send = driver.span("driver sends");
        // Its thread that reads and decodes does all else between these.
        let decode = driver.elapsed.saturating_sub(wait.total() + encode.total() + send.total());
        row(&mut text, "driver waits for the server, and receives", wait);
        row(&mut text, "driver decodes", Span { busy: decode, ..Span::default() });
        row(&mut text, "driver encodes batches", encode);
        row(&mut text, "driver waits until a batch is taken", Span { busy: Duration::ZERO, ..send });
        let driver_rest = driver.cpu.saturating_sub(wait.cpu + encode.cpu);
        row(&mut text, "driver: decodes, and all else: gRPC and its socket", Span::of_cpu(driver_rest));
        let receive = core.span("Core receives");
        row(&mut text, "Core receives from the driver, decodes", receive);
        row(&mut text, "Core waits for the client", core.span("Core waits for reader"));
        let core_rest = core.cpu.saturating_sub(receive.cpu);
        row(&mut text, "Core: all else, gRPC and its sockets", Span::of_cpu(core_rest));
        let (received, rendered) = (client.span("client receives"), client.span("client renders"));
        row(&mut text, "client receives, decodes", received);
        row(&mut text, "client renders CSV", rendered);
        let client_rest = client.cpu.saturating_sub(received.cpu + rendered.cpu);
        row(&mut text, "client: all else, gRPC and its socket", Span::of_cpu(client_rest));
        line(
            &mut text,
            &format!(
                "\nProcessor time: driver {} for this result, Core {} (with its start and end), client {}.\n",
                seconds(driver.cpu),
                seconds(core.cpu),
                seconds(client.cpu)
            ),
        );
    }
    text
}

#[derive(Debug, Clone, Copy, Default)]
struct Span {
    cpu: Duration,
    busy: Duration,
    waiting: Duration,
    count: u64,
}

impl Span {
    fn of_cpu(cpu: Duration) -> Self {
        Self { cpu, ..Self::default() }
    }

    fn total(self) -> Duration {
        self.busy + self.waiting
    }
}

impl Told {
    /// The spans of one name; none are none.
    fn span(&self, name: &str) -> Span {
        let figure = self.figures.iter().find(|figure| figure.name == name);
        figure.map_or_else(Span::default, |figure| Span {
            cpu: figure.cpu,
            busy: figure.busy,
            waiting: figure.waiting,
            count: figure.count,
        })
    }
}

fn row(text: &mut String, name: &str, Span { cpu, busy, waiting, count }: Span) {
    let shown = |duration: Duration| if duration.is_zero() { String::new() } else { seconds(duration) };
    let count = if count == 0 { String::new() } else { count.to_string() };
    line(text, &format!("| {name} | {} | {} | {} | {count} |", shown(cpu), shown(busy), shown(waiting)));
}

fn seconds(duration: Duration) -> String {
    numbers::seconds(duration.as_secs_f64())
}

fn line(text: &mut String, words: &str) {
    writeln!(text, "{words}").expect("a string takes all");
}
