"""Runs a command on a terminal of its own: terminal.py COLUMNS FOLDER COMMAND...

Prints, as JSON, the number of bars that it drew over each other, the columns of the widest, and the lines that it left.
"""

import fcntl
import json
import os
import pty
import struct
import sys
import termios

columns, folder, command = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
child, terminal = pty.fork()
if child == 0:
    fcntl.ioctl(2, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    os.chdir(folder)
    os.environ["TERM"] = "xterm"
    os.execv(command[0], command)
said = b""
while True:
    try:
        part = os.read(terminal, 65536)
    except OSError:  # Linux says so when the other side is closed
        break
    if not part:
        break
    said += part
os.waitpid(child, 0)
text = said.decode().replace("\r\n", "\n")
lines = text.split("\n")
# Every line but the last was ended; what stands before a return in it was drawn over.
bars = [piece.replace("\x1b[K", "") for line in lines for piece in line.split("\r")[:-1] if piece]
left = [line.split("\r")[-1].replace("\x1b[K", "") for line in lines[:-1]]
print(json.dumps({"bars": len(bars), "widest": max(map(len, bars), default=0), "lines": left}))
