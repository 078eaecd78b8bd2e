#pragma once

namespace left4me::builder {

/// Reads the archive that `archive` is open at and sends its entries as Messages to `pipe`, with End or
/// Failed as the last one. The only code that parses archives (libarchive): run it in a process that can do
/// nothing else, Confinement::ParseOnly.
void read_archive(int archive, int pipe);

}  // namespace left4me::builder
