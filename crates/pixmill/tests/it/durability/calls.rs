//! The output of `strace -f -y` as calls. A call that another thread interrupts stands on two lines there.

use std::collections::HashMap;
use std::fmt;

/// One successful system call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    /// Its name, such as `fsync`.
    pub(super) name: String,
    /// Its arguments as strace shows them; descriptors with their paths.
    pub(super) arguments: String,
    /// When it began and when it ended, in lines of the trace. A thread that waits for another one's call continues
    /// only after strace has seen that call end, so what depends on each other is in order.
    pub(super) began: usize,
    pub(super) ended: usize,
}

impl Call {
    /// The path of the descriptor it works on: `/a/b` of `write(7</a/b>, …`.
    pub(super) fn descriptor(&self) -> Option<&str> {
        let (number, rest) = self.arguments.split_once('<')?;
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then_some(())?;
        rest.split_once('>').map(|(path, _)| path)
    }

    /// The strings among its arguments, in order.
    pub(super) fn strings(&self) -> impl Iterator<Item = &str> {
        self.arguments.split('"').skip(1).step_by(2)
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{} {}({})", self.began, self.ended, self.name, self.arguments)
    }
}

/// The successful calls of a trace, in the order in which they ended.
pub(super) fn parse(trace: &str) -> Vec<Call> {
    let mut unfinished: HashMap<&str, (String, usize)> = HashMap::new();
    let mut calls = Vec::new();
    for (number, line) in trace.lines().enumerate() {
        let Some((thread, event)) = line.split_once(' ') else {
            continue;
        };
        let event = event.trim_start();
        if let Some(begun) = event.strip_suffix(" <unfinished ...>") {
            unfinished.insert(thread, (begun.to_owned(), number));
        } else if let Some(resumed) = event.strip_prefix("<... ") {
            let begun = unfinished.remove(thread);
            let rest = resumed.split_once(" resumed>").map(|(_, rest)| rest);
            if let (Some((begun, began)), Some(rest)) = (begun, rest) {
                calls.extend(call(&(begun + rest), began, number));
            }
        } else {
            calls.extend(call(event, number, number));
        }
    }
    calls
}

/// `name(arguments) = result`; `None` for signals, exits and calls that failed.
fn call(text: &str, began: usize, ended: usize) -> Option<Call> {
    let (called, result) = text.rsplit_once(" = ")?;
    if result.starts_with(['-', '?']) {
        return None;
    }
    let (name, arguments) = called.trim_end().strip_suffix(')')?.split_once('(')?;
    Some(Call {
        name: name.to_owned(),
        arguments: arguments.to_owned(),
        began,
        ended,
    })
}

#[test]
fn calls_are_read_whole_also_when_another_thread_comes_between() {
    let trace = r#"11 openat(AT_FDCWD</x>, "/d/a#1", O_WRONLY|O_CREAT, 0640) = 7</d/a#1>
11 write(7</d/a#1>, "\377\330 = ("..., 9 <unfinished ...>
12 fsync(8</d>)        = 0
11 <... write resumed>)  = 9
12 mkdir("/d", 0750) = -1 EEXIST (File exists)
12 --- SIGTERM {si_signo=SIGTERM} ---
11 +++ exited with 0 +++
"#;
    let calls = parse(trace);
    let seen: Vec<_> = calls
        .iter()
        .map(|call| (call.name.as_str(), call.descriptor(), call.began, call.ended))
        .collect();
    assert_eq!(
        seen,
        [
            ("openat", None, 0, 0),
            ("fsync", Some("/d"), 2, 2),
            ("write", Some("/d/a#1"), 1, 3)
        ]
    );
    assert_eq!(calls[0].strings().collect::<Vec<_>>(), ["/d/a#1"]);
}
