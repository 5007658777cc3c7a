//! Whether an answer waits for the disk.

/// When something counts as stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DiskSync {
    /// Once it is on the disk: it survives a power cut.
    #[default]
    Always,
    /// Once the operating system has it: it survives whatever happens to the process, and not what happens to the machine.
    Never,
}
