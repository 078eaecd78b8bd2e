// What libarchive and the code around it make of a downloaded archive.
#include "builder/archive/read_archive.hpp"
#include "fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const left4me::fuzz::Files files(left4me::fuzz::text_of(data, size));
    left4me::builder::read_archive(files.file(), files.pipe());
    return 0;
}
