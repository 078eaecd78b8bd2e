#pragma once

#include <string>
#include <string_view>

#include "specs/diagnostic.hpp"
#include "specs/yaml.hpp"

namespace left4me {

/// Converts positions within one document to positions in its file, and collects the errors there.
class Reporter {
  public:
    /// `document` is the document's text, which begins at `first_line` of `file`.
    Reporter(std::string file, int first_line, std::string_view document, Diagnostics& diagnostics)
        : file_(std::move(file)), first_line_(first_line), document_(document), diagnostics_(diagnostics) {}

    Location at(const yaml::Mark& mark) const;
    /// The position of byte `offset` of a scalar's text. Exact for the lines of a `|` block; otherwise the
    /// scalar's position.
    yaml::Mark within(const yaml::Node& scalar, std::size_t offset) const;
    void add(Rule rule, const yaml::Mark& mark, std::string message);
    const Diagnostics& diagnostics() const { return diagnostics_; }

  private:
    std::string file_;
    int first_line_;
    std::string_view document_;
    Diagnostics& diagnostics_;
};

}  // namespace left4me
