#pragma once

#include <string>

#include "specs/grammars/dscp.hpp"
#include "specs/tuning.hpp"

namespace left4me {

/// For people: systemd's own names and values, but "DSCP" and "EF" for LEFT4ME_DSCP=46.
inline std::string setting_name(const std::string& name) { return name == dscp_setting ? "DSCP" : name; }
inline std::string setting_value(const std::string& name, const std::string& value) {
    return name == dscp_setting ? dscp_text(value) : value;
}

/// "CPUWeight=200 DSCP=EF Nice=-5"; empty for none.
inline std::string settings_text(const UnitSettings& settings) {
    std::string text;
    for (const auto& [name, value] : settings) {
        if (!text.empty()) text += ' ';
        text += setting_name(name) + '=' + setting_value(name, value);
    }
    return text;
}

}  // namespace left4me
