#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace left4me::a2s {

/// Takes fields from the front; everything after the first one that is truncated is empty.
class Reader {
  public:
    explicit Reader(std::string_view bytes) : rest_(bytes) {}

    bool good() const { return good_; }
    bool at_end() const { return rest_.empty(); }
    std::string_view rest() const { return rest_; }

    std::string_view bytes(std::size_t count) {
        if (rest_.size() < count) {
            good_ = false;
            rest_ = {};
            return {};
        }
        const std::string_view taken = rest_.substr(0, count);
        rest_.remove_prefix(count);
        return taken;
    }

    std::uint8_t byte() { return static_cast<std::uint8_t>(number(1)); }
    std::uint16_t word() { return static_cast<std::uint16_t>(number(2)); }
    std::uint32_t long_word() { return number(4); }

    /// Up to its NUL.
    std::string text() {
        const std::size_t end = std::min(rest_.find('\0'), rest_.size());
        return std::string(bytes(end + 1).substr(0, end));
    }

  private:
    /// The lowest byte comes first.
    std::uint32_t number(std::size_t size) {
        std::uint32_t value = 0;
        unsigned shift = 0;
        for (const char one : bytes(size)) {
            value |= std::uint32_t{static_cast<std::uint8_t>(one)} << shift;
            shift += 8;
        }
        return value;
    }

    std::string_view rest_;
    bool good_ = true;
};

}  // namespace left4me::a2s
