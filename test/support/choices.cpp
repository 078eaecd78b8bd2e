#include "support/choices.hpp"

#include <algorithm>
#include <cstdlib>

namespace left4me::test {
namespace {

struct Shrinker {
    const Property& property;
    Counterexample& best;
    std::size_t budget = 5000;  // attempts; a good counterexample soon is better than the best one late

    bool try_tape(std::vector<std::uint32_t> tape) {
        if (budget == 0) return false;
        --budget;
        Choices choices(std::move(tape));
        std::optional<std::string> message = property(choices);
        if (!message) return false;
        best.message = *std::move(message);
        best.tape = choices.tape();
        return true;
    }

    bool remove_parts() {
        bool any = false;
        for (std::size_t size = 16; size > 0; size /= 2) {
            for (std::size_t from = 0; from + size <= best.tape.size();) {
                std::vector<std::uint32_t> shorter = best.tape;
                const auto begin = shorter.begin() + static_cast<std::ptrdiff_t>(from);
                shorter.erase(begin, begin + static_cast<std::ptrdiff_t>(size));
                // Numbers removed at the end come back as zeros: that is only smaller if something else was
                // there.
                const bool smaller = shorter.size() < best.tape.size() && try_tape(shorter) &&
                                     best.tape.size() <= shorter.size();
                any = any || smaller;
                if (!smaller) ++from;
            }
        }
        return any;
    }

    bool lower_numbers() {
        bool any = false;
        for (std::size_t at = 0; at < best.tape.size(); ++at) {
            for (const std::uint32_t divisor : {0U, 2U, 1U}) {
                const std::uint32_t old = best.tape[at];
                if (old == 0) break;
                const std::uint32_t lower = divisor == 0 ? 0 : divisor == 2 ? old / 2 : old - 1;
                if (lower >= old) continue;
                std::vector<std::uint32_t> tape = best.tape;
                tape[at] = lower;
                if (try_tape(std::move(tape))) any = true;
                if (at >= best.tape.size()) break;
            }
        }
        return any;
    }
};

}  // namespace

std::uint32_t Choices::below(std::uint32_t bound) {
    std::uint32_t value = 0;
    if (replays_) {
        if (position_ == tape_.size()) tape_.push_back(0);
        value = tape_[position_] % bound;
        tape_[position_] = value;
    } else {
        value = static_cast<std::uint32_t>(random_.below(bound));
        tape_.push_back(value);
    }
    ++position_;
    return value;
}

std::optional<Counterexample> find_counterexample(std::size_t cases, const Property& property) {
    for (std::uint64_t seed = 0; seed < cases; ++seed) {
        Choices choices(seed);
        std::optional<std::string> message = property(choices);
        if (!message) continue;
        Counterexample found{seed, *message, choices.tape()};
        Shrinker shrinker{property, found};
        while (shrinker.remove_parts() || shrinker.lower_numbers()) {
        }
        return found;
    }
    return std::nullopt;
}

std::size_t case_count(std::size_t cases) {
    if (const char* text = std::getenv("LEFT4ME_CASES")) return std::strtoul(text, nullptr, 10);
#if defined(__SANITIZE_ADDRESS__)
    return std::max<std::size_t>(cases / 10, 1);
#else
    return cases;
#endif
}

}  // namespace left4me::test
