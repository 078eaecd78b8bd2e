// What a parser that somebody has taken over may send to the process that writes files.
#include "builder/messages.hpp"
#include "fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace left4me;
    const fuzz::Files files(fuzz::text_of(data, size));
    builder::Message message;
    while (builder::next_message(files.file(), message)) {
        if (message.kind == builder::Message::Kind::Row) (void)builder::fields_of(message);
    }
    return 0;
}
