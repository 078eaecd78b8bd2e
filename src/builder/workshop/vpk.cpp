#include "builder/workshop/vpk.hpp"

#include "builder/confined_reader.hpp"
#include "builder/workshop/parse_vpk.hpp"
#include "specs/text.hpp"

namespace left4me::builder {

Built<void> check_vpk(int file) {
    auto reader = ConfinedReader::start(file, parse_vpk);
    if (!reader) return std::unexpected(reader.error());
    Message message;
    if (auto got = reader->next(message); !got) return got;
    if (message.kind == Message::Kind::End) return {};
    if (message.kind == Message::Kind::Failed) return source_failure(printable_line(message.text));
    return source_failure("the process that read it sent nonsense: the file is hostile");
}

}  // namespace left4me::builder
