#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace left4me::ctl {

/// Reads lines from the terminal, which can be edited, recalled (arrow keys) and completed (tab). What was
/// typed is not kept after the end: it may contain passwords.
class LineEditor {
  public:
    /// The words that begin with what has been typed of a line's first word.
    using Complete = std::function<std::vector<std::string>(const std::string& beginning)>;

    LineEditor(std::string prompt, Complete complete);
    ~LineEditor();
    LineEditor(const LineEditor&) = delete;
    LineEditor& operator=(const LineEditor&) = delete;

    /// nullopt: the end (Ctrl-D).
    std::optional<std::string> read();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

/// The longest text with which all words begin.
std::string common_beginning(const std::vector<std::string>& words);

/// The names in the answer to `cvarlist BEGINNING` that begin with it: the first word of each line. At most
/// 200.
std::vector<std::string> listed_names(std::string_view answer, std::string_view beginning);

}  // namespace left4me::ctl
