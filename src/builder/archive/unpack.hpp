#pragma once

#include <cstdint>

#include "builder/entry_writer.hpp"
#include "builder/progress.hpp"
#include "builder/read_entries.hpp"
#include "builder/result.hpp"

namespace left4me::builder {

/// Unpacks the archive that `archive` is open at. A process of its own parses it, which can do nothing but
/// read it; this one checks and writes what that says.
Built<void> unpack(int archive, std::uint64_t archive_bytes, EntryWriter& writer, Progress& progress,
                   const RatioLimit& limit = {});

}  // namespace left4me::builder
