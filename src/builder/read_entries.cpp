#include "builder/read_entries.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "specs/text.hpp"

namespace left4me::builder {

namespace {

using Kind = Message::Kind;

Built<void> write(const Message& message, EntryWriter& writer) {
    switch (message.kind) {
        case Kind::Directory:
            return writer.directory(message.text);
        case Kind::File:
            return writer.begin_file(message.text, (message.number & S_IXUSR) != 0);
        case Kind::Link:
            return writer.link(message.text, message.more);
        case Kind::HardLink:
            return writer.hard_link(message.text, message.more);
        case Kind::Refused:
            return writer.refuse(message.text, printable_line(message.more));
        case Kind::Data:
            return writer.write(message.number, message.text);
        case Kind::EndOfFile:
            return writer.end_file(message.number);
        case Kind::Row:
            return source_failure("the process that read it sent a row of a table: it is hostile");
        case Kind::Failed:
            return std::unexpected(
                BuildError{BuildFailureKind::SourceUnavailable,
                           message.text.empty() ? "it cannot be read" : printable_line(message.text),
                           message.number == 0});
        case Kind::Revision:
        case Kind::End:
            return {};
    }
    return {};
}

}  // namespace

Built<std::string> read_entries(const ConfinedReading& reading, std::uint64_t bytes, EntryWriter& writer,
                                Progress& progress, const RatioLimit& limit) {
    auto reader = ConfinedReader::start(reading);
    if (!reader) return std::unexpected(reader.error());
    // Of what the source gives, whether it is kept or left out.
    std::uint64_t unpacked = 0;
    const std::uint64_t most = limit.free_bytes + limit.ratio * bytes;
    std::string revision;
    Message message;
    while (true) {
        if (const auto got = reader->next(message); !got) return std::unexpected(got.error());
        if (message.kind == Kind::Revision) revision = printable_line(message.text);
        if (message.kind == Kind::Data) unpacked += message.text.size();
        if (auto written = write(message, writer); !written) return std::unexpected(written.error());
        if (std::max(unpacked, writer.bytes()) > most) {
            return source_failure(
                fmt::format("unpacks to more than {} times its size, as archives do that "
                            "are made to fill a disk",
                            limit.ratio));
        }
        if (message.kind == Kind::End) return revision;
        if (message.kind == Kind::File) progress.file();
        progress.at(message.position);
    }
}

}  // namespace left4me::builder
