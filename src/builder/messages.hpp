#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace left4me::builder {

/// What a process that only parses (ConfinedReader) tells the one that writes files, through a pipe. It is
/// not trusted: the receiver checks all that it says, and next_message() refuses what is not a message.
struct Message {
    enum class Kind : std::uint32_t {
        Directory,  ///< text: path
        File,       ///< text: path; number: its mode
        Link,       ///< text: path; more: target
        HardLink,   ///< text: path; more: the path of the file
        Refused,    ///< text: path; more: why no overlay may contain it
        Data,       ///< of the last File. text: the data; number: their offset
        EndOfFile,  ///< number: its size, or 0 if the archive does not say
        Row,        ///< of a table. text: the fields, each with a NUL behind it; number: the line, from 1
        Revision,   ///< text: what identifies the content within its source, as a commit does
        End,        ///< of the source
        /// text: why it cannot be read; number: 1 if another download would be no better
        Failed,
    };
    Kind kind = Kind::End;
    std::uint64_t number = 0;
    std::uint64_t position = 0;  ///< how many bytes of the source have been read
    std::string text;
    std::string more;
};

/// The most bytes in one Message::Data.
inline constexpr std::size_t max_data_bytes = 1U << 18U;

/// False if nobody reads any more.
bool send_message(int pipe, const Message& message);
/// Data without a copy.
bool send_data(int pipe, std::uint64_t position, std::uint64_t offset, std::string_view data);

enum class NoMessage { Ended, Invalid };
/// `message` is filled again: its memory is used for the next one.
std::expected<void, NoMessage> next_message(int pipe, Message& message);

/// Of a Row.
std::vector<std::string_view> fields_of(const Message& row);

}  // namespace left4me::builder
