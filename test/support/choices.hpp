#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "support/random.hpp"

namespace left4me::test {

/// The source of a generated case's numbers. It records them, so that a failing case can be shrunk by making
/// its numbers fewer and smaller and generating again; 0 is always the simplest choice.
class Choices {
  public:
    explicit Choices(std::uint64_t seed) : random_(seed) {}
    explicit Choices(std::vector<std::uint32_t> tape) : random_(0), tape_(std::move(tape)), replays_(true) {}

    /// 0 … bound - 1.
    std::uint32_t below(std::uint32_t bound);
    bool one_in(std::uint32_t bound) { return below(bound) == bound - 1; }
    template <typename T>
    T one_of(std::initializer_list<T> values) {
        return *(values.begin() + below(static_cast<std::uint32_t>(values.size())));
    }

    const std::vector<std::uint32_t>& tape() const { return tape_; }

  private:
    Random random_;
    std::vector<std::uint32_t> tape_;
    std::size_t position_ = 0;
    bool replays_ = false;
};

/// Why the case fails, or nothing.
using Property = std::function<std::optional<std::string>(Choices&)>;

struct Counterexample {
    std::uint64_t seed = 0;           ///< of the original case
    std::string message;              ///< of the smallest case that still fails
    std::vector<std::uint32_t> tape;  ///< the smallest case
};

/// Tries `cases` cases; shrinks the first that fails.
std::optional<Counterexample> find_counterexample(std::size_t cases, const Property& property);

/// How many cases a property gets in this build: all of them, or a share under the sanitizers, which are
/// slow. LEFT4ME_CASES in the environment overrides both.
std::size_t case_count(std::size_t cases);

}  // namespace left4me::test
