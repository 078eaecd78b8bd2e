// The list of files in a workshop item.
#include "builder/workshop/parse_vpk.hpp"
#include "fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const left4me::fuzz::Files files(left4me::fuzz::text_of(data, size));
    left4me::builder::parse_vpk(files.file(), files.pipe());
    return 0;
}
