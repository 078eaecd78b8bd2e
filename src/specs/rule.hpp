#pragma once

namespace left4me {

/// The rules that a revision must satisfy. Each has at least one case under test/cases/invalid; a test checks
/// that.
enum class Rule {
    Other,  ///< no manifest rule: for diagnostics created elsewhere
    // The file and its text.
    FileTooLarge,
    TooManyDocuments,
    NotUtf8,
    ControlCharacter,
    // YAML.
    Syntax,
    TabIndentation,
    Directive,
    SecondDocument,
    TooDeep,
    TooManyValues,
    AliasUnknown,
    Tag,
    DuplicateKey,
    KeyNotText,
    // One document against the field table.
    NotAnObject,
    ApiVersionMissing,
    ApiVersionUnknown,
    KindMissing,
    KindUnknown,
    MergeKey,
    FieldUnknown,
    FieldMissing,
    TypeMismatch,
    NullValue,
    ValueUnknown,
    ValueInvalid,  ///< not in the grammar of its type
    ValueRange,
    TooLong,
    TooShort,
    TooMany,
    NameInvalid,
    NameNotThis,
    LabelInvalid,
    ListedTwice,
    // Sources of overlays.
    SourceCount,
    RefreshWithoutMoving,
    HostKeysMissing,
    HostKeysUnused,
    DirectoryInvalid,
    UrlInvalid,
    DirectoryInState,
    DirectoryOutsideRoots,
    FilePathInvalid,
    FilePathConflict,
    // What reaches the game.
    ArgumentOwned,
    ArgumentPassword,
    PlaceholderUnknown,
    PlaceholderUnterminated,
    SecretInArgument,
    SecretFileInvalid,
    SecretNotListed,
    SecretReserved,
    ExecutedNotListed,
    ExecutedWithoutConfig,
    ScheduledCommand,
    CvarInvalid,
    ScheduledCount,
    ScheduledWithoutConsole,
    // Between fields and between documents.
    WarningWithoutConsole,
    DeadlineWithoutWhenEmpty,
    CpusContradict,
    DuplicateName,
    DuplicatePort,
    ReferenceDangling,
    Count,  ///< not a rule: the number of rules
};

}  // namespace left4me
