// A pack that a git server sends, without an index: all of its objects are unpacked.
#include "builder/git/objects.hpp"
#include "fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace left4me;
    const fuzz::Files files(fuzz::text_of(data, size));
    builder::Work work{64U << 20U};
    (void)builder::Pack(files.file(), size, work).scan(1000);
    return 0;
}
