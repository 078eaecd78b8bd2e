// What steamcmd prints, in two pieces, and what it notes about an installation.
#include "builder/steam/output.hpp"
#include "fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace left4me::builder;
    const std::string_view text = left4me::fuzz::text_of(data, size);
    SteamOutput output;
    output.feed(text.substr(0, size / 3));
    output.feed(text.substr(size / 3));
    output.finish();
    for (const int code : {0, 1, 8, 42, 127}) {
        (void)judge_update(output, code);
        (void)judge_lookup(output, code);
    }
    (void)build_in_manifest(text);
    return 0;
}
