// The table of an index of maps.
#include "builder/map_index/parse_table.hpp"
#include "fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const left4me::fuzz::Files files(left4me::fuzz::text_of(data, size));
    left4me::builder::parse_table(files.file(), files.pipe());
    return 0;
}
