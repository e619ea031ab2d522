"""How much is read of the files that go with a message. `docs/using.md` says the same to people, which is tested."""

MAX_FILES = 10  # of a message, in Discord
MAX_IMAGES = 4  # of a message, pages of documents among them
MAX_TEXTS = 4  # texts and documents of a message, in Discord
MAX_BYTES = 25 * 2**20  # of an image or a document
MAX_TEXT = 256 * 2**10  # bytes of a text file
MAX_SHOWN = 20_000  # characters of a text file that the model is shown
MAX_DOCUMENT = 60_000  # characters of a document that the model is shown
MAX_TOTAL = 80_000  # characters of all texts and documents of a message

MAX_SIDE = 2_000  # pixels of an image's longer side as the model gets it; some services refuse more
MAX_PIXELS = 64_000_000  # of an image that is unpacked: 256 MB
MAX_IMAGE = 4 * 2**20  # bytes of an image as the model gets it
MAX_PAGES = 500  # of a PDF, sheets of a table, slides
MAX_HTML = 4 * 2**20  # bytes of a web page
MAX_ROWS = 20_000  # of a table
MAX_UNPACKED = 200 * 2**20  # bytes of all that a document is packed of
MAX_PARTS = 10_000  # files that it is packed of
