"""Makes the reader of Bot API answers: what it keeps of them, see net/json_stream.py. Memory: dropped after use.

Bot API 9.2, https://core.telegram.org/bots/api#making-requests, #update, #message, #callbackquery
"""

from copepod.telegram.updates import UpdateReader

SCHEMA = (
    b"a ok?0 error_code#1 description$2 parameters{p result{u\n"
    b"p retry_after#3 migrate_to_chat_id#@\n"
    b"u file_path$G update_id#4 message{m edited_message{M callback_query{q id#5 username$6 message_id#7\n"
    b"m message_id#7 message_thread_id#8 is_topic_message?9 from{f sender_chat{v chat{c text~A"
    b" caption~B media_group_id$? reply_to_message{r quote{t entities{e caption_entities{e photo!C"
    b" voice!D audio!E video!F video_note!G animation!H document{j sticker{s location{l contact{k"
    b" poll{o dice{d\n"
    b"q id$; data$< from{f message{n\n"
    b"n message_id#7 message_thread_id#8 is_topic_message?9 chat{c\n"
    b"f id#J is_bot?= username$K first_name$L\n"
    b"v id#>\n"
    b"c id#M type$N\n"
    b"r text~O caption~O from{g\n"
    b"g id#P\n"
    b"t text~Q\n"
    b"e user{w\n"
    b"w id#S\n"
    b"s emoji$T\n"
    b"l latitude.U longitude.V\n"
    b"k phone_number$W first_name$X\n"
    b"o question$Y\n"
    b"d emoji$Z value#:\n"
    b"j file_id$C file_name$D"  # of a document: it may be a bot.py, see update.py
)

# Of a bot that asks for files (files.py): what each of them is called, in the places of those marks. An animation
# comes as a document as well.
_MARKS = b"photo!C voice!D audio!E video!F video_note!G"
_FILES = b"photo{h voice{H audio{i video{I video_note{I"
_OF_EACH = b"file_id$C file_name$D mime_type$E file_size#F\n"
_FILE_SHORT = 192  # UTF-16 units: a file's id is longer than anything else


def reader(buffer, bot_id=None, at_name="@"):
    """An UpdateReader with `buffer` for long texts; who the bot is may be said later."""
    schema = SCHEMA
    if hasattr(UpdateReader.message, "file"):
        UpdateReader.SHORT = _FILE_SHORT
        schema = schema.replace(_MARKS, _FILES) + b" mime_type$E file_size#F\nh "
        schema += _OF_EACH + b"i " + _OF_EACH[:-1]
    made: "Any" = UpdateReader(schema, buffer)
    made.bot_id = bot_id
    made.at_name = at_name
    made.albums = []
    return made
