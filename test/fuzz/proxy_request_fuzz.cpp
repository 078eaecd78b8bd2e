// What a script sends to its proxy.
#include "fuzz.hpp"
#include "proxy/request.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    (void)left4me::proxy::parse_request(left4me::fuzz::text_of(data, size));
    return 0;
}
