"""The bot's fixed texts in German, by the English ones; people are addressed with "du", as usual in Discord."""

GERMAN: dict[str, str] = {
    # Commands, their options and choices
    "Stop the answer that is being written in this channel": "Halte die Antwort an, die hier gerade entsteht",
    "Forget this channel's conversation, after asking you": "Vergiss das Gespräch dieses Kanals, nach Rückfrage",
    "Look through conversations, resume, rename or export one": "Gespräche ansehen, fortsetzen, umbenennen, mitnehmen",
    "Words that are in the title, or in the name of the channel": "Wörter aus dem Titel oder dem Namen des Kanals",
    "Go on with this conversation somewhere else too": "Führe dieses Gespräch auch an einem anderen Ort weiter",
    "Where it goes on; by default in a thread here": "Wo es weitergeht; ohne Angabe in einem Thread hier",
    "A thread here": "Ein Thread hier",
    "A private thread, for you": "Ein privater Thread, für dich",
    "Your DM with me": "Deine DM mit mir",
    "Branch from here": "Von hier abzweigen",
    "Ask about this": "Dazu etwas fragen",
    "What the model is told first": "Was dem Modell zuerst gesagt wird",
    "The new one; leave it out to see the present one": "Der neue Wert; lass ihn weg, um den jetzigen zu sehen",
    "Where it shall hold; by default only here": "Wo es gelten soll; ohne Angabe nur hier",
    "This channel, thread or DM": "Dieser Kanal, Thread oder diese DM",
    "The whole category": "Die ganze Kategorie",
    "The whole server": "Der ganze Server",
    "Which model answers": "Welches Modell antwortet",
    "How much the model thinks before it answers, where it can": (
        "Wie viel das Modell nachdenkt, bevor es antwortet, falls es das kann"
    ),
    "none: Not at all": "none: Gar nicht",
    "minimal: As little as possible": "minimal: So wenig wie möglich",
    "low: A little": "low: Ein wenig",
    "medium: As much as is usual": "medium: So viel wie üblich",
    "high: Thoroughly": "high: Gründlich",
    "xhigh: As much as possible": "xhigh: So viel wie möglich",
    "Which tools the model is offered": "Welche Werkzeuge das Modell benutzen darf",
    "How long answers are": "Wie lang Antworten sind",
    "brief: One to three sentences": "brief: Ein bis drei Sätze",
    "normal: As the model likes": "normal: Wie es dem Modell gefällt",
    "detailed: In depth": "detailed: Ausführlich",
    "inherit: What is set more widely": "inherit: Was weiter oben eingestellt ist",
    "Which messages are answered": "Welche Nachrichten beantwortet werden",
    "mention: Those that mention me or reply to me": "mention: Die mich erwähnen oder mir antworten",
    "always: All that are not for somebody else": "always: Alle, die nicht an jemand anderen gehen",
    "off: None": "off: Keine",
    "Whether each question gets a thread of its own": "Ob jede Frage einen eigenen Thread bekommt",
    "off: Answers stand in the channel": "off: Antworten stehen im Kanal",
    "auto: Each question opens a thread": "auto: Jede Frage öffnet einen Thread",
    "How much is shown of tool calls": "Wie viel von Werkzeugaufrufen gezeigt wird",
    "quiet: Only what fails or waits": "quiet: Nur was scheitert oder wartet",
    "normal: Each call in one line": "normal: Jeder Aufruf in einer Zeile",
    "verbose: With results": "verbose: Mit Ergebnissen",
    "Whose conversation it is": "Wessen Gespräch es ist",
    "shared: Everybody's together": "shared: Das gemeinsame von allen",
    "each: Each person has one of their own": "each: Alle haben ihr eigenes",
    "Which roles are answered": "Welche Rollen eine Antwort bekommen",
    "How many tokens a day may be used": "Wie viele Token am Tag verbraucht werden dürfen",
    "Show which settings hold here, and where each comes from": "Zeige, welche Einstellungen hier gelten und woher",
    "Open a thread with a conversation of its own": "Öffne einen Thread mit eigenem Gespräch",
    "The thread's name": "Der Name des Threads",
    "Say why a message of this channel got no answer": "Sag, warum eine Nachricht hier keine Antwort bekam",
    "The message's link or id; without it, your last message here": (
        "Link oder ID der Nachricht; ohne Angabe deine letzte hier"
    ),
    "Check that everything works here, and say what to do": "Prüfe, ob hier alles geht, und sag, was zu tun ist",
    "Show all that I can do, and how to talk to me": "Zeige alles, was ich kann, und wie du mit mir sprichst",
    # Menus
    "Why no answer?": "Warum keine Antwort?",
    # /help
    "What I can do": "Was ich kann",
    "How to talk to me": "Wie du mit mir sprichst",
    (
        "Mention me, {me}, reply to one of my messages, or write to me in a DM; in a thread of mine just write. Each "
        "channel, thread and DM is a conversation of its own, which I remember, also over a restart, until somebody "
        "clears it."
    ): (
        "Erwähne mich, {me}, antworte auf eine meiner Nachrichten oder schreib mir eine DM; in meinen Threads schreib "
        "einfach los. Jeder Kanal, jeder Thread und jede DM ist ein eigenes Gespräch. Ich merke es mir, auch über "
        "einen Neustart hinweg, bis jemand es löscht."
    ),
    "Commands": "Befehle",
    "In the menu of a message, under Apps": "Im Menü einer Nachricht, unter Apps",
    "Tools I may use": "Werkzeuge, die ich benutzen darf",
    "Privacy": "Datenschutz",
    (
        "What you say to me is stored where I run, and sent to the model ({model}) to be answered. What is not for me "
        "is neither stored nor sent."
    ): (
        "Was du mir sagst, wird dort gespeichert, wo ich laufe, und zum Beantworten an das Modell ({model}) gesendet. "
        "Was nicht an mich geht, wird weder gespeichert noch gesendet."
    ),
    "offline demo model": "Demo-Modell ohne Netz",
    "chosen at the first question": "wird bei der ersten Frage gewählt",
    # The welcome
    "Hello, I am {name}": "Hallo, ich bin {name}",
    (
        "I chat with you, and use tools where they help: mention me, {me}, and ask. Reply to my answer to go on. You "
        "see what I do while I do it, and can stop me at any time."
    ): (
        "Ich unterhalte mich mit euch und benutze Werkzeuge, wo sie helfen: Erwähne mich, {me}, und frag. Antworte auf "
        "meine Antwort, um weiterzumachen. Ihr seht, was ich tue, während ich es tue, und könnt mich immer anhalten."
    ),
    "What to do first": "Was du zuerst tun kannst",
    (
        "1. Write `@{name} what can you do?`\n"
        "2. {help} lists my commands and tools\n"
        "3. For moderators: {doctor} checks that I have the permissions I need, and {system} sets what I am told first"
    ): (
        "1. Schreib `@{name} was kannst du?`\n"
        "2. {help} zeigt meine Befehle und Werkzeuge\n"
        "3. Für Moderatoren: {doctor} prüft, ob ich die nötigen Rechte habe, und {system} stellt ein, was mir zuerst "
        "gesagt wird"
    ),
}
