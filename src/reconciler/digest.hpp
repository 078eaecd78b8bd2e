#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace left4me {

/// How many hexadecimal digits of a SHA-256 name a generation or a rendering.
inline constexpr std::size_t digest_digits = 16;

/// SHA-256, piece by piece.
class Digest {
  public:
    Digest();
    ~Digest();
    Digest(Digest&&) noexcept;
    Digest& operator=(Digest&&) noexcept;

    /// Bytes as they are.
    Digest& add(std::string_view bytes);
    /// With the length before them, so that "ab"+"c" and "a"+"bc" differ.
    Digest& field(std::string_view bytes);
    Digest& number(std::uint64_t value);

    /// All 32 bytes. The digest starts anew.
    std::array<unsigned char, 32> finish();
    /// The first 16 hexadecimal digits, as generations are named. The digest starts anew.
    std::string generation();

  private:
    struct Context;
    std::unique_ptr<Context> context_;
};

}  // namespace left4me
