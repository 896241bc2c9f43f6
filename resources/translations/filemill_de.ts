<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de" sourcelanguage="en">
<context>
    <name></name>
    <message numerus="yes">
        <source>%Ln file(s)</source>
        <translation>
            <numerusform>%Ln Datei</numerusform>
            <numerusform>%Ln Dateien</numerusform>
        </translation>
    </message>
    <message>
        <source>&amp;Add Files…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose files to process</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Add F&amp;older…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose a folder, and which of its files to add</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Paste Files</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Add the files, folders or paths that were copied elsewhere</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Quit</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Close Filemill; what is not done goes on at the next start</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Copy Rows</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copy the selected rows for a spreadsheet</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Select &amp;All</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Select every file in the list</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Select &amp;None</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Select nothing</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Filter</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show only the files that match what is typed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;All Files</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show all files, whatever their status, reason or batch</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Pending Files</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show only the files that wait</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>P&amp;rocessing Files</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show only the files that are being processed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Processe&amp;d Files</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show only the files that are done</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Failed Files</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show only the files that have failed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Side&amp;bar</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show or hide statuses, problems and batches beside the list</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>De&amp;tails</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show or hide what is known about the selected files</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Ne&amp;xt Pane</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Go to the next part of the window</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Pre&amp;vious Pane</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Go to the part of the window before this one</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Retry</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Process the selected files again</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Retry All &amp;Failed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Process every failed file again</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Retry All With &amp;This Reason</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Process every file again that has failed for the reason chosen in the sidebar, or for the file&apos;s own</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Re&amp;move From List</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Take the selected files off the list; the files stay where they are</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Show in File Manager</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Open the folder that the file lies in</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Other Programs&apos; Messages…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Look at the messages in the queue that are not Filemill&apos;s</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Keyboard Shortcuts</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>All keys at a glance</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;About Filemill</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Version and licence</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The List Can&apos;t Be Read</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The database that holds the list of files is damaged.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>It is put aside, not deleted, whatever you choose. Your files themselves were never touched.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Use the Copy of {when}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Start With an Empty List</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Quit</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Filter files</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Words of the path or the reason; or status:failed, size:&gt;10MB, reason:missing, “two words”</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Clear the filter</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Trouble</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Message</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Retry Failed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Drop files or folders anywhere in this window. They are processed on this computer – no AWS account needed.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Drop files or folders anywhere in this window. They are processed as the queue {queue} hands them out.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Menus</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;File</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Edit</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;View</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Columns</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Sort By</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Queue</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Help</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Undo</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>R&amp;edo</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Take back what was done to the list last</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Do again what was taken back</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Tools</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Clear Filter</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Show All Files</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No problems</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No file has failed.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No files match “{words}”</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Among the files that are chosen in the sidebar.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No files here</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No file has everything that is chosen in the sidebar.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Dismiss this message</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Dismiss</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Sidebar</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Status</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Problems</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Batches</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Show Only These Files</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No reason was given</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>All</source>
        <comment>files of every status</comment>
        <translation type="unfinished"></translation>
    </message>
    <message numerus="yes">
        <source>and %Ln similar reason(s)</source>
        <translation type="unfinished">
            <numerusform></numerusform>
            <numerusform></numerusform>
        </translation>
    </message>
    <message>
        <source>Retry all with this reason</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Added {moment}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Retry All With This Reason</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Retry All With These Reasons</source>
        <translation type="unfinished"></translation>
    </message>
    <message numerus="yes">
        <source>&amp;Retry %Ln File(s) With This Reason</source>
        <translation type="unfinished">
            <numerusform></numerusform>
            <numerusform></numerusform>
        </translation>
    </message>
    <message>
        <source>Filemill Can&apos;t Start</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Try Again</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Open Folder</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The folder {folder} can&apos;t be used: {why}. Make it writable, or set FILEMILL_HOME to another folder.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>FILEMILL_HOME is “{named}”, but there is no such user. Correct it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The file changed while it was read; its result was thrown away so that no wrong numbers are kept</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The system reports another size for this file than it has content, so it can&apos;t be processed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>There is no way to process this kind of file</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The file is no longer there</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No file can have this name</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Addresses on the web are not supported yet; download the file and add it from this computer</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This is a folder, not a file</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This is a named pipe; only ordinary files can be processed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This is a socket; only ordinary files can be processed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This is a device; only ordinary files can be processed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This is not an ordinary file</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>You may not read this file</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Another program is using this file</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The disk or network share that holds this file did not deliver it</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This link leads in a circle and never to a file</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This computer is short of memory or has too many files open at once</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>You may not read this file, or another program is using it</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The file is no longer there: a part of its path is not a folder</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No file can be there: the path is too long for this system</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The system can&apos;t read this file: {why}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This queue carries messages that are not Filemill&apos;s: all that came lately were another program&apos;s and were left as they are. Processing has stopped, since each look counts as a delivery attempt for them. Choose a queue that is only for Filemill.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Files are sent to this queue, but none are processed on this computer yet. Allow it if the queue is only for Filemill: each look at another program&apos;s messages counts as a delivery attempt for them.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The folder {folder} can&apos;t be written: {why}. Check its rights.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The disk or network share did not answer for 10 minutes</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The program ended while it worked on this file</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Something went wrong in Filemill itself. The file is put aside; the log has the details.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{reason}; try {next} of {most} follows</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{reason} (given up after {count} tries)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>There is no such file</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This link leads to a file that is not there</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This is a folder; add it as a folder to include the files in it</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This is a link to a folder; such links are not followed, so that nothing is added twice</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Addresses on the web can&apos;t be added yet; download the file first</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This address names another computer; only files of this one can be added</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This folder is no longer there</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>You may not look into this folder</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>You may not look into the folder that this lies in</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The queue did not take a message.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The queue refuses its message: {why}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{key} must be between {least} and {most}, not {value}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{key} must be “parallel” or “strict”, not “{value}”.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{file} can&apos;t be read: {why}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{file}: {reason} Mend the file, or delete it to start afresh.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{file} is not UTF-8 text. Mend the file, or delete it to start afresh.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{file} is not written as TOML wants it. Mend the file, or delete it to start afresh.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{file} is not written as TOML wants it (at line {line}). Mend the file, or delete it to start afresh.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>a whole number</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>a text in quotes</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{key} must be {wanted}, not {value}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{file} can&apos;t be written: {why}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>“{name}” can&apos;t be a queue&apos;s name: up to 80 letters, digits, - and _, and .fifo at the end of a FIFO queue. A queue&apos;s URL is accepted too.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>“{url}” is not the URL of a server. Correct AWS_ENDPOINT_URL_SQS or AWS_ENDPOINT_URL, or endpoint_url in the settings.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>“{url}” is not the URL of a queue.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No copy of {file} could be made: {why}</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{file} can&apos;t be moved away: {why}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{file} can&apos;t be copied: {why}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The program ended {count} times while it worked on this file. The file is put aside; the others go on</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The queue has put its message aside after one delivery without an end</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The queue has put its message aside after {count} deliveries without an end</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This copy of Filemill is incomplete: {folder} holds no database scripts.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{file} was written by a newer Filemill (it has {newer}, this one knows {known}). Install the newer version, or set FILEMILL_DATABASE to another file. Nothing was changed.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{file} is a database of another program. Set FILEMILL_DATABASE to another file. Nothing was changed.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{file} can&apos;t be written: {why}. Check its folder.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Another program is changing {file} and does not end. Close it, then try again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{file} can&apos;t be opened: {why}. Make its folder writable, or set FILEMILL_DATABASE.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Another program uses {file} and holds it locked. Trying again is safe.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The disk with {file} is full or can&apos;t be written. Make room, then go on.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{file} is damaged or is not a database of Filemill. Nothing was changed. It can be put aside, and the newest copy used in its place: see “filemill doctor --help”.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{file} can&apos;t be written. Check the rights of the file and its folder.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>FILEMILL_DATABASE is “{named}”: only a path or sqlite:///path is supported. Correct it, or unset it.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Filemill</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Filemill is running but does not answer.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Wait</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>End It and Start</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Ending it is safe: its files start again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>It may still be starting. You can wait a little longer.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>It was started at {time} and is process {number}.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
</TS>
