#include "l4d2ctl/line_editor.hpp"

#include <histedit.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "adapters/lines.hpp"

namespace left4me::ctl {
namespace {

constexpr int lines_kept = 1000;
constexpr std::size_t most_names = 200;

bool is_name(std::string_view word) {
    return !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
               c == '-' || c == '.';
    });
}

}  // namespace

struct LineEditor::State {
    std::string prompt;
    Complete complete;
    EditLine* editor = nullptr;
    History* history = nullptr;

    static State& of(EditLine* editor) {
        void* state = nullptr;
        ::el_get(editor, EL_CLIENTDATA, &state);
        return *static_cast<State*>(state);
    }

    static char* show_prompt(EditLine* editor) { return of(editor).prompt.data(); }

    /// What follows the only word, or as much as all have in common; if there is no more of that, shows them.
    static unsigned char complete_word(EditLine* editor, int /*key*/) {
        const LineInfo* const line = ::el_line(editor);
        const std::string beginning(line->buffer, line->cursor);
        if (beginning.empty() || !is_name(beginning)) return CC_ERROR;
        const auto words = of(editor).complete(beginning);
        if (words.empty()) return CC_ERROR;
        std::string more = common_beginning(words).substr(beginning.size());
        if (words.size() == 1) more += ' ';
        if (!more.empty()) return ::el_insertstr(editor, more.c_str()) == 0 ? CC_REFRESH : CC_ERROR;
        std::printf("\n");
        for (const std::string& word : words) std::printf("%s\n", word.c_str());
        return CC_REDISPLAY;
    }
};

LineEditor::LineEditor(std::string prompt, Complete complete) : state_(std::make_unique<State>()) {
    state_->prompt = std::move(prompt);
    state_->complete = std::move(complete);
    state_->history = ::history_init();
    HistEvent event{};
    ::history(state_->history, &event, H_SETSIZE, lines_kept);
    ::history(state_->history, &event, H_SETUNIQUE, 1);
    state_->editor = ::el_init("l4d2ctl", stdin, stdout, stderr);
    ::el_set(state_->editor, EL_CLIENTDATA, state_.get());
    ::el_set(state_->editor, EL_PROMPT, &State::show_prompt);
    ::el_set(state_->editor, EL_EDITOR, "emacs");
    ::el_set(state_->editor, EL_HIST, ::history, state_->history);
    ::el_set(state_->editor, EL_ADDFN, "complete", "completes a word", &State::complete_word);
    ::el_set(state_->editor, EL_BIND, "^I", "complete", nullptr);
}

LineEditor::~LineEditor() {
    ::el_end(state_->editor);
    ::history_end(state_->history);
}

std::optional<std::string> LineEditor::read() {
    // Raw mode first: libedit would show the prompt before it, and a Ctrl-D typed in between would be lost.
    ::el_set(state_->editor, EL_PREP_TERM, 1);
    int count = 0;
    const char* const typed = ::el_gets(state_->editor, &count);
    if (typed == nullptr || count <= 0) return std::nullopt;
    std::string line(typed, static_cast<std::size_t>(count));
    if (line.ends_with('\n')) line.pop_back();
    HistEvent event{};
    if (!line.empty()) ::history(state_->history, &event, H_ENTER, line.c_str());
    return line;
}

std::string common_beginning(const std::vector<std::string>& words) {
    if (words.empty()) return "";
    std::string common = words.front();
    for (const std::string& word : words) {
        const auto differs = std::mismatch(common.begin(), common.end(), word.begin(), word.end()).first;
        common.erase(differs, common.end());
    }
    return common;
}

std::vector<std::string> listed_names(std::string_view answer, std::string_view beginning) {
    std::vector<std::string> names;
    for (const std::string_view line : lines_of(answer)) {
        const std::string_view name = line.substr(0, line.find(' '));
        if (!name.starts_with(beginning) || !is_name(name)) continue;
        names.emplace_back(name);
        if (names.size() == most_names) break;
    }
    return names;
}

}  // namespace left4me::ctl
