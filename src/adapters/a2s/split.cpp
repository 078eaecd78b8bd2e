#include "adapters/a2s/split.hpp"

#include <bzlib.h>
#include <zlib.h>

#include <utility>

#include "adapters/a2s/info.hpp"
#include "adapters/a2s/reader.hpp"

namespace left4me::a2s {
namespace {

constexpr std::string_view header = "\xFE\xFF\xFF\xFF";
constexpr std::uint32_t compressed_bit = 0x8000'0000;

/// Its size and checksum, as the game states them, precede what was compressed.
std::optional<std::string> decompress(std::string_view bytes) {
    Reader reader(bytes);
    const std::uint32_t size = reader.long_word();
    const std::uint32_t checksum = reader.long_word();
    if (!reader.good() || size > largest_answer) return std::nullopt;
    std::string packed(reader.rest());
    std::string answer(size, '\0');
    unsigned length = size;
    // `small`: a decompressor otherwise takes 3.7 MB for the largest blocks.
    constexpr int small = 1;
    if (::BZ2_bzBuffToBuffDecompress(answer.data(), &length, packed.data(),
                                     static_cast<unsigned>(packed.size()), small, 0) != BZ_OK ||
        length != size)
        return std::nullopt;
    if (::crc32(0, reinterpret_cast<const Bytef*>(answer.data()), size) != checksum) return std::nullopt;
    return answer;
}

}  // namespace

bool is_part(std::string_view datagram) { return datagram.starts_with(header); }

std::optional<std::string> Parts::add(std::string_view datagram) {
    if (!is_part(datagram) || datagram.size() > largest_datagram) return std::nullopt;
    Reader reader(datagram.substr(header.size()));
    const std::uint32_t id = reader.long_word();
    const unsigned total = reader.byte();
    const unsigned number = reader.byte();
    reader.word();  // the size at which it was split
    if (!reader.good() || total == 0 || total > most_parts || number >= total) return std::nullopt;
    if (id != id_ || total != total_) parts_.clear();
    id_ = id;
    total_ = total;
    parts_.try_emplace(number, reader.rest());
    if (parts_.size() < total) return std::nullopt;
    std::string whole;
    for (const auto& [at, part] : std::exchange(parts_, {})) whole += part;
    if ((id & compressed_bit) != 0) return decompress(whole);
    return whole;
}

}  // namespace left4me::a2s
