// What libarchive and the code around it make of a backup that somebody hands to root.
#include "backup/read_backup.hpp"
#include "fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const left4me::fuzz::Files files(left4me::fuzz::text_of(data, size));
    left4me::backup::read_backup(files.file(), files.pipe());
    return 0;
}
