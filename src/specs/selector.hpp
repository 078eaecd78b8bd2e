#pragma once

#include <expected>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace left4me {

/// One condition of a label selector.
struct LabelCondition {
    enum class Kind { Equals, Differs, Exists, Absent };
    Kind kind = Kind::Exists;
    std::string key;
    std::string value;  ///< of Equals and Differs

    bool operator==(const LabelCondition&) const = default;
};

/// A label selector with kubectl's syntax: all conditions must hold.
using Selector = std::vector<LabelCondition>;

/// `pool=competitive,tier!=test,public,!old`. The error quotes the wrong part and shows the syntax.
std::expected<Selector, std::string> parse_selector(std::string_view text);

/// An object without the label differs from every value.
bool matches(const Selector& selector, const std::map<std::string, std::string>& labels);

}  // namespace left4me
