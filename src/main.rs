//! Arguments in, exit code out.

mod cli;

/// Archives of many small members leave glibc's heap full of holes: seven times the memory, twice the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    cli::main()
}
