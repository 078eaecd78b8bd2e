#pragma once

namespace left4me::backup {

/// Reads the backup that `archive` is open at and sends each entry as a Row (entry.hpp) to `pipe`, that of a
/// file with its Data and EndOfFile; the last Message is End or Failed. The only code that parses backups
/// (libarchive): run it in a process that can do nothing else, Confinement::ParseOnly.
void read_backup(int archive, int pipe);

}  // namespace left4me::backup
