#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace left4me {

/// How many hexadecimal digits of a SHA-256 name an artifact or a rendering.
inline constexpr std::size_t digest_digits = 16;

/// SHA-256, computed incrementally.
class Digest {
  public:
    Digest();
    ~Digest();
    Digest(Digest&&) noexcept;
    Digest& operator=(Digest&&) noexcept;

    /// Adds bytes without their length.
    Digest& add(std::string_view bytes);
    /// Adds bytes with their length, so that "ab"+"c" and "a"+"bc" differ.
    Digest& field(std::string_view bytes);
    Digest& number(std::uint64_t value);

    /// All 32 bytes. Resets the digest.
    std::array<unsigned char, 32> finish();
    /// The first hexadecimal digits, by default those that name artifacts and renderings. Resets the digest.
    /// `digits`: even, at most all_digits.
    std::string hex(std::size_t digits = digest_digits);
    static constexpr std::size_t all_digits = 64;

  private:
    struct Context;
    std::unique_ptr<Context> context_;
};

}  // namespace left4me
