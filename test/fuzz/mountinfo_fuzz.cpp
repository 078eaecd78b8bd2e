// The kernel's table of mounts, with names that others have chosen.
#include "adapters/overlayfs/mounts.hpp"
#include "fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace left4me;
    const std::string_view text = fuzz::text_of(data, size);
    (void)parse_mountinfo(text, Paths{});
    (void)parse_mounted(text, "/var/lib/left4me");
    return 0;
}
