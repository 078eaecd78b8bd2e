#pragma once

#include <string>

#include "specs/tuning.hpp"

namespace left4me {

/// "CPUWeight=200 Nice=-5"; empty for none.
inline std::string settings_text(const UnitSettings& settings) {
    std::string text;
    for (const auto& [name, value] : settings) {
        if (!text.empty()) text += ' ';
        text += name + '=' + value;
    }
    return text;
}

}  // namespace left4me
