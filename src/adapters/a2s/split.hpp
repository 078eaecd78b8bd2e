#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace left4me::a2s {

/// Of one answer. 255 players with long names take 32 KiB.
inline constexpr std::size_t largest_answer = std::size_t{64} * 1024;
inline constexpr unsigned most_parts = 32;

/// Whether a datagram is a part of an answer that was too large for one.
bool is_part(std::string_view datagram);

/// Puts an answer together from its parts, which may come in any order, more than once, and mixed with those
/// of another answer: then the one whose part came last is put together, and the other one is forgotten.
class Parts {
  public:
    /// The answer, if this was the last part that was missing. What is not a part, or does not fit to the
    /// parts before, is ignored; so is what is larger than largest_answer once it has been decompressed, or
    /// whose checksum is wrong.
    std::optional<std::string> add(std::string_view datagram);

  private:
    std::uint32_t id_ = 0;
    unsigned total_ = 0;
    std::map<unsigned, std::string> parts_;
};

}  // namespace left4me::a2s
