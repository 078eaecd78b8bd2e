#include "builder/archive/unpack.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <string>

#include "builder/archive/read_archive.hpp"
#include "builder/confined_reader.hpp"
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
            return source_failure("the process that read it sent a row of a table: the archive is hostile");
        case Kind::Failed:
            return source_failure(message.text.empty() ? "it cannot be read" : printable_line(message.text));
        case Kind::End:
            return {};
    }
    return {};
}

}  // namespace

Built<void> unpack(int archive, std::uint64_t archive_bytes, EntryWriter& writer, Progress& progress,
                   const RatioLimit& limit) {
    auto reader = ConfinedReader::start(archive, read_archive);
    if (!reader) return std::unexpected(reader.error());
    // Of what the archive gives, whether it is kept or left out.
    std::uint64_t unpacked = 0;
    const std::uint64_t most = limit.free_bytes + limit.ratio * archive_bytes;
    Message message;
    while (true) {
        if (auto got = reader->next(message); !got) return got;
        if (message.kind == Kind::Data) unpacked += message.text.size();
        if (auto written = write(message, writer); !written) return written;
        if (std::max(unpacked, writer.bytes()) > most) {
            return source_failure(
                fmt::format("unpacks to more than {} times its size, as archives do that "
                            "are made to fill a disk",
                            limit.ratio));
        }
        if (message.kind == Kind::End) return {};
        if (message.kind == Kind::File) progress.file();
        progress.at(message.position);
    }
}

}  // namespace left4me::builder
