//! Scripts with a known number of statements, to compare a splitter's count with a server's answers.

/// A generated script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// Its text.
    pub sql: String,
    /// How many statements it has. A server answers each once.
    pub statements: usize,
}

/// Makes a script for PostgreSQL 14 or later, the same for the same seed.
///
/// Every statement succeeds on a new connection of a role that may create temporary objects, and leaves nothing
/// behind it but those. Between and inside the statements stands what misleads a splitter: semicolons and quotes in
/// every kind of literal, identifier and comment, bodies, rules, `CASE`, columns named `end`.
pub fn postgres_script(seed: u64) -> Script {
    let mut writer = Writer { random: Random(seed), sql: String::new() };
    let templates = writer.random.below(8);
    let mut statements = 0;
    for number in 0..templates {
        let (count, template) = TEMPLATES[writer.random.below(TEMPLATES.len())];
        writer.empty_statements();
        writer.template(template, number);
        statements += count;
        if number + 1 < templates || writer.random.one_in(2) {
            writer.any_gap();
            writer.sql.push(';');
        }
    }
    writer.any_gap();
    Script { sql: writer.sql, statements }
}

/// SplitMix64: small, and good enough to choose from lists.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).expect("a bound of ours is small");
        usize::try_from(self.next() % bound).expect("less than a usize")
    }

    fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    fn choose<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

/// Statements and how many they are. `~` stands for white space or comments, `@` for an expression of type text, and
/// `#` for a number that is used once in a script.
const TEMPLATES: &[(usize, &str)] = &[
    (1, "select~@~as~end"),
    (1, "select~@~as~\"a;\"\"'$$\",~@~as~case,~@~as~e$$$e"),
    (1, "select~(@),~((@)),~(select~@)"),
    (1, "select~from~(values~(@),(@))~as~begin~(atomic)"),
    (1, "select~begin~atomic~from~(values~(@))~as~v~(begin)"),
    (1, "values~(@),~(@)"),
    (1, "select~(array[@,@,@])[1:2],~1.5e-3,.5,1e1,-1,1--2\n,~1/*;*//2"),
    (1, "select~'{1}'::int[]~operator(pg_catalog.&&)~'{}'"),
    (1, "do~$body$~begin~perform~'x;';~end;~$body$"),
    (1, "do~$$ begin if true then null; end if; end $$"),
    (2, "create~temp~table~t#~(a~text~default~@,~\"b;\"~text);~insert~into~t#~values~(@,~@)"),
    (2, "create~temp~table~u#~(a~text);~create~rule~r~as~on~insert~to~u#~do~also~(select~@;~select~2)"),
    (
        1,
        "create~function~pg_temp.f#~(a~text~default~@)~returns~text~language~sql~\
         begin~atomic~select~@;~select~case~when~a~=~@~then~@~else~@~end;~end",
    ),
    (
        1,
        "create~or~replace~function~pg_temp.begin#~()~returns~text~\
         BEGIN~ATOMIC~select~1~as~end;~select~1~end;~select~1~as~case;~\
         select~e.end~from~(select~1~as~end)~as~e;~select~(@);END",
    ),
    (1, "create~or~replace~procedure~pg_temp.p#~()~language~sql~begin~atomic~end"),
    (1, "create~function~pg_temp.g#~()~returns~text~language~sql~as~$f$ select 'begin atomic'; $f$"),
    (1, "create~function~pg_temp.h#~()~returns~text~return~@"),
    (1, "prepare~s#~as~select~$1~||~@,~$2::text"),
    (1, "set~application_name~=~'a;''b'"),
    (1, "begin"),
    (1, "commit"),
];

const GAPS: &[&str] = &[
    "\n",
    "\r\n",
    "\t \x0c",
    " -- it's; $$ /* \"\n",
    "--\r",
    "/**/",
    " /* ; ' $x$ \" -- */ ",
    "/* a /* nested; */ ' */",
    "/*/*/ */*/",
    "/***/",
    "/*+ hint; */",
];

/// What literals are made of, before it is escaped.
const PIECES: &[&str] = &[
    ";",
    "'",
    "\"",
    "--",
    "/*",
    "*/",
    "$$",
    "$x$",
    "$x",
    "$1",
    ":a",
    "\\",
    "\n",
    "(",
    ")",
    "]",
    "begin atomic",
    "end",
    "é",
    "\u{1f418}",
    " ",
];

struct Writer {
    random: Random,
    sql: String,
}

impl Writer {
    fn empty_statements(&mut self) {
        while self.random.one_in(3) {
            self.any_gap();
            self.sql.push(';');
        }
        self.any_gap();
    }

    fn template(&mut self, template: &str, number: usize) {
        for character in template.chars() {
            match character {
                '~' => self.gap(),
                '@' => self.expression(2),
                '#' => self.sql.push_str(&number.to_string()),
                other => self.sql.push(other),
            }
        }
    }

    /// White space or a comment, enough to part two words.
    fn gap(&mut self) {
        let gap = if self.random.one_in(4) { self.random.choose(GAPS) } else { " " };
        self.sql.push_str(gap);
    }

    fn any_gap(&mut self) {
        while self.random.one_in(3) {
            self.gap();
        }
    }

    /// An expression of type text, nested at most so deep.
    fn expression(&mut self, depth: usize) {
        if depth == 0 || self.random.one_in(2) {
            return self.literal();
        }
        let template = self.random.choose(&[
            "case~when~^~=~^~then~^~else~^~end",
            "case~^~when~^~then~^~end",
            "(^~||~^)",
            "cast(^~as~text)",
            "(array[^,^])[1]",
            "(^)::text",
            "b'01'::text",
            "X'1F'::text",
        ]);
        for character in template.chars() {
            match character {
                '~' => self.gap(),
                '^' => self.expression(depth - 1),
                other => self.sql.push(other),
            }
        }
    }

    fn literal(&mut self) {
        let text = self.text();
        let quoted = text.replace('\'', "''");
        let escaped = text.replace('\\', "\\\\").replace('\'', "\\'");
        let written = match self.random.below(6) {
            0 => format!("'{quoted}'"),
            1 => format!("e'{escaped}'"),
            2 => format!("U&'{}'", quoted.replace('\\', "\\\\")),
            3 => format!("'{quoted}' \n '{quoted}'"),
            4 => format!("E'{escaped}' -- it's\n\t'{escaped}\\''"),
            _ => self.dollar_quoted(&text),
        };
        self.sql.push_str(&written);
    }

    fn dollar_quoted(&mut self, text: &str) -> String {
        let tag = self.random.choose(&["$$", "$x$", "$_1$", "$é$"]);
        let body = format!("{text}{tag}");
        // The text must not end itself, also not together with the tag's first characters.
        if body.find(tag) == Some(text.len()) { format!("{tag}{body}") } else { format!("{tag}{tag}") }
    }

    fn text(&mut self) -> String {
        let pieces = self.random.below(5);
        (0..pieces).map(|_| self.random.choose(PIECES)).collect()
    }
}
