// Answers of Steam's web API.
#include "builder/workshop/parse_details.hpp"
#include "fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const left4me::fuzz::Files files(left4me::fuzz::text_of(data, size));
    left4me::builder::parse_details(files.file(), files.pipe());
    return 0;
}
