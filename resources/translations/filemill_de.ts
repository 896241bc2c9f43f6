<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de" sourcelanguage="en">
<context>
    <name></name>
    <message>
        <source>Pending</source>
        <translation>Ausstehend</translation>
    </message>
    <message>
        <source>Processing</source>
        <translation>In Arbeit</translation>
    </message>
    <message>
        <source>Processed</source>
        <translation>Verarbeitet</translation>
    </message>
    <message>
        <source>Failed</source>
        <translation>Fehlgeschlagen</translation>
    </message>
    <message>
        <source>pending</source>
        <translation>ausstehend</translation>
    </message>
    <message>
        <source>processing</source>
        <translation>in Arbeit</translation>
    </message>
    <message>
        <source>processed</source>
        <translation>verarbeitet</translation>
    </message>
    <message>
        <source>failed</source>
        <translation>fehlgeschlagen</translation>
    </message>
    <message numerus="yes">
        <source>%Ln file(s)</source>
        <translation>
            <numerusform>%Ln Datei</numerusform>
            <numerusform>%Ln Dateien</numerusform>
        </translation>
    </message>
    <message>
        <source>Yes</source>
        <translation>Ja</translation>
    </message>
    <message>
        <source>No</source>
        <translation>Nein</translation>
    </message>
    <message>
        <source>{number}%</source>
        <translation>{number}&#xa0;%</translation>
    </message>
    <message>
        <source>Today {time}</source>
        <translation>Heute {time}</translation>
    </message>
    <message>
        <source>Yesterday {time}</source>
        <translation>Gestern {time}</translation>
    </message>
    <message>
        <source>Yesterday</source>
        <translation>Gestern</translation>
    </message>
    <message>
        <source>{number} s</source>
        <translation>{number} s</translation>
    </message>
    <message>
        <source>{number} min</source>
        <translation>{number} min</translation>
    </message>
    <message>
        <source>{number} h</source>
        <translation>{number} h</translation>
    </message>
    <message>
        <source>Waiting for the queue {queue}</source>
        <translation>Wartet auf die Warteschlange {queue}</translation>
    </message>
    <message>
        <source>Waiting to be sent</source>
        <translation>Wartet auf das Senden</translation>
    </message>
    <message>
        <source>In queue</source>
        <translation>In der Warteschlange</translation>
    </message>
    <message>
        <source>Attempt {next} of {most} at {time}: {reason}</source>
        <translation>Versuch {next} von {most} um {time}: {reason}</translation>
    </message>
    <message>
        <source>Next attempt at {time}: {reason}</source>
        <translation>Nächster Versuch um {time}: {reason}</translation>
    </message>
    <message>
        <source>Next attempt at {time}</source>
        <translation>Nächster Versuch um {time}</translation>
    </message>
    <message numerus="yes">
        <source>{size} byte(s)</source>
        <translation>
            <numerusform>{size} Byte</numerusform>
            <numerusform>{size} Bytes</numerusform>
        </translation>
    </message>
    <message>
        <source>Finishing</source>
        <translation>Wird abgeschlossen</translation>
    </message>
    <message>
        <source>Reading {percent}</source>
        <translation>{percent} gelesen</translation>
    </message>
    <message numerus="yes">
        <source>%Ln line(s)</source>
        <translation>
            <numerusform>%Ln Zeile</numerusform>
            <numerusform>%Ln Zeilen</numerusform>
        </translation>
    </message>
    <message>
        <source>&amp;Add Files…</source>
        <translation>&amp;Dateien hinzufügen…</translation>
    </message>
    <message>
        <source>Choose files to process</source>
        <translation>Zu verarbeitende Dateien auswählen</translation>
    </message>
    <message>
        <source>Add F&amp;older…</source>
        <translation>&amp;Ordner hinzufügen…</translation>
    </message>
    <message>
        <source>Choose a folder, and select which of its files to add</source>
        <translation>Einen Ordner auswählen und festlegen, welche Dateien daraus hinzugefügt werden</translation>
    </message>
    <message>
        <source>&amp;Watch Folder…</source>
        <translation>Ordner über&amp;wachen…</translation>
    </message>
    <message>
        <source>Choose a folder whose new files are added by themselves</source>
        <translation>Einen Ordner wählen, dessen neue Dateien von selbst hinzugefügt werden</translation>
    </message>
    <message>
        <source>&amp;Paste Files</source>
        <translation>Dateien &amp;einfügen</translation>
    </message>
    <message>
        <source>Add the files, folders or paths on the clipboard</source>
        <translation>Dateien, Ordner oder Pfade aus der Zwischenablage hinzufügen</translation>
    </message>
    <message>
        <source>Choose what is done to the files that you add</source>
        <translation>Auswählen, was mit den hinzugefügten Dateien geschieht</translation>
    </message>
    <message>
        <source>&amp;Export List…</source>
        <translation>Liste e&amp;xportieren…</translation>
    </message>
    <message>
        <source>Save the list as a CSV or JSON file</source>
        <translation>Die Liste als CSV- oder JSON-Datei speichern</translation>
    </message>
    <message>
        <source>&amp;Quit</source>
        <translation>&amp;Beenden</translation>
    </message>
    <message>
        <source>Quit Filemill; unfinished files will be processed the next time you start it</source>
        <translation>Filemill beenden; unfertige Dateien werden nach dem nächsten Start weiter verarbeitet</translation>
    </message>
    <message>
        <source>&amp;Copy Rows</source>
        <translation>Zeilen &amp;kopieren</translation>
    </message>
    <message>
        <source>Copy the selected rows to paste into a spreadsheet</source>
        <translation>Die ausgewählten Zeilen für eine Tabellenkalkulation kopieren</translation>
    </message>
    <message>
        <source>Copy Pat&amp;h</source>
        <translation>P&amp;fad kopieren</translation>
    </message>
    <message>
        <source>Copy the paths of the selected files</source>
        <translation>Die Pfade der ausgewählten Dateien kopieren</translation>
    </message>
    <message>
        <source>Select &amp;All</source>
        <translation>&amp;Alles auswählen</translation>
    </message>
    <message>
        <source>Select all files in the list</source>
        <translation>Alle Dateien in der Liste auswählen</translation>
    </message>
    <message>
        <source>Rena&amp;me Batch…</source>
        <translation>Stapel u&amp;mbenennen…</translation>
    </message>
    <message>
        <source>Change the name of the batch selected in the sidebar</source>
        <translation>Den Namen des Stapels ändern, der in der Seitenleiste ausgewählt ist</translation>
    </message>
    <message>
        <source>Select &amp;None</source>
        <translation>&amp;Nichts auswählen</translation>
    </message>
    <message>
        <source>Clear the selection</source>
        <translation>Die Auswahl aufheben</translation>
    </message>
    <message>
        <source>Show the folders whose new files are added, and change or end that</source>
        <translation>Die Ordner zeigen, deren neue Dateien hinzugefügt werden, und dies ändern oder beenden</translation>
    </message>
    <message>
        <source>Watche&amp;d Folders…</source>
        <translation>&amp;Überwachte Ordner…</translation>
    </message>
    <message>
        <source>&amp;Filter</source>
        <translation>Fil&amp;tern</translation>
    </message>
    <message>
        <source>Show only the files that match what you type</source>
        <translation>Nur die Dateien anzeigen, die zur Eingabe passen</translation>
    </message>
    <message>
        <source>&amp;All Files</source>
        <translation>&amp;Alle Dateien</translation>
    </message>
    <message>
        <source>Show all files, regardless of status, reason or batch</source>
        <translation>Alle Dateien anzeigen, unabhängig von Status, Grund oder Stapel</translation>
    </message>
    <message>
        <source>&amp;Pending Files</source>
        <translation>A&amp;usstehende Dateien</translation>
    </message>
    <message>
        <source>Show only the files that are waiting to be processed</source>
        <translation>Nur die wartenden Dateien anzeigen</translation>
    </message>
    <message>
        <source>P&amp;rocessing Files</source>
        <translation>Dateien &amp;in Arbeit</translation>
    </message>
    <message>
        <source>Show only the files that are being processed</source>
        <translation>Nur die Dateien anzeigen, die gerade verarbeitet werden</translation>
    </message>
    <message>
        <source>Processe&amp;d Files</source>
        <translation>&amp;Verarbeitete Dateien</translation>
    </message>
    <message>
        <source>Show only the files that have been processed</source>
        <translation>Nur die verarbeiteten Dateien anzeigen</translation>
    </message>
    <message>
        <source>&amp;Failed Files</source>
        <translation>&amp;Fehlgeschlagene Dateien</translation>
    </message>
    <message>
        <source>Show only the files that have failed</source>
        <translation>Nur die fehlgeschlagenen Dateien anzeigen</translation>
    </message>
    <message>
        <source>Side&amp;bar</source>
        <translation>Seiten&amp;leiste</translation>
    </message>
    <message>
        <source>Show or hide the list of statuses, problems and batches</source>
        <translation>Die Liste der Status, Probleme und Stapel ein- oder ausblenden</translation>
    </message>
    <message>
        <source>De&amp;tails</source>
        <translation>&amp;Details</translation>
    </message>
    <message>
        <source>Show or hide the details of the selected files</source>
        <translation>Die Details der ausgewählten Dateien ein- oder ausblenden</translation>
    </message>
    <message>
        <source>Compact Ro&amp;ws</source>
        <translation>Kompakte &amp;Zeilen</translation>
    </message>
    <message>
        <source>Make the rows of the list lower, so that more of them fit</source>
        <translation>Niedrigere Zeilen in der Liste, damit mehr davon Platz haben</translation>
    </message>
    <message>
        <source>&amp;Next Problem</source>
        <translation>Nä&amp;chstes Problem</translation>
    </message>
    <message>
        <source>Select the next file that has failed</source>
        <translation>Die nächste fehlgeschlagene Datei auswählen</translation>
    </message>
    <message>
        <source>Previous Prob&amp;lem</source>
        <translation>Vorheriges &amp;Problem</translation>
    </message>
    <message>
        <source>Select the previous file that has failed</source>
        <translation>Die vorherige fehlgeschlagene Datei auswählen</translation>
    </message>
    <message>
        <source>F&amp;ollow Current File</source>
        <translation>Ak&amp;tuelle Datei verfolgen</translation>
    </message>
    <message>
        <source>Scroll automatically to keep the current file visible</source>
        <translation>Automatisch scrollen, damit die aktuelle Datei sichtbar bleibt</translation>
    </message>
    <message>
        <source>T&amp;hroughput</source>
        <translation>Durc&amp;hsatz</translation>
    </message>
    <message>
        <source>Show or hide the graph of files and bytes per second</source>
        <translation>Das Diagramm der Dateien und Bytes pro Sekunde ein- oder ausblenden</translation>
    </message>
    <message>
        <source>&amp;Keep in Tray</source>
        <translation>Im Info&amp;bereich behalten</translation>
    </message>
    <message>
        <source>Show a tray icon; Filemill then keeps running when you close the window</source>
        <translation>Ein Symbol im Infobereich anzeigen; Filemill läuft dann weiter, wenn das Fenster geschlossen wird</translation>
    </message>
    <message>
        <source>Ne&amp;xt Pane</source>
        <translation>&amp;Nächster Bereich</translation>
    </message>
    <message>
        <source>Move to the next pane</source>
        <translation>Zum nächsten Bereich wechseln</translation>
    </message>
    <message>
        <source>Pre&amp;vious Pane</source>
        <translation>Vorheri&amp;ger Bereich</translation>
    </message>
    <message>
        <source>Move to the previous pane</source>
        <translation>Zum vorherigen Bereich wechseln</translation>
    </message>
    <message>
        <source>&amp;Pause</source>
        <translation>&amp;Pausieren</translation>
    </message>
    <message>
        <source>Process no more files until you resume</source>
        <translation>Bis zum Fortsetzen keine weiteren Dateien verarbeiten</translation>
    </message>
    <message>
        <source>Finish the current files, then pause</source>
        <translation>Die aktuellen Dateien fertig verarbeiten, dann pausieren</translation>
    </message>
    <message>
        <source>Pause &amp;After the Current Files</source>
        <translation>Nach den aktuellen Dateien paus&amp;ieren</translation>
    </message>
    <message>
        <source>Process Ne&amp;xt</source>
        <translation>Als Nächs&amp;tes verarbeiten</translation>
    </message>
    <message>
        <source>Process the selected files before all others</source>
        <translation>Die ausgewählten Dateien vor allen anderen verarbeiten</translation>
    </message>
    <message>
        <source>Check &amp;Queue Now</source>
        <translation>Warteschlange &amp;jetzt abfragen</translation>
    </message>
    <message>
        <source>Send and receive messages now</source>
        <translation>Nachrichten jetzt senden und empfangen</translation>
    </message>
    <message>
        <source>&amp;Retry</source>
        <translation>&amp;Erneut versuchen</translation>
    </message>
    <message>
        <source>Process the selected files again</source>
        <translation>Die ausgewählten Dateien erneut verarbeiten</translation>
    </message>
    <message>
        <source>Retr&amp;y As…</source>
        <translation>Wieder&amp;holen als…</translation>
    </message>
    <message>
        <source>Process the selected files again, with another processor or other options</source>
        <translation>Die ausgewählten Dateien erneut verarbeiten, auf andere Weise oder mit anderen Optionen</translation>
    </message>
    <message>
        <source>Re&amp;move</source>
        <translation>Ent&amp;fernen</translation>
    </message>
    <message>
        <source>Remove Processe&amp;d</source>
        <translation>Verar&amp;beitete entfernen</translation>
    </message>
    <message>
        <source>Remove all processed files from the list; the files themselves are not deleted</source>
        <translation>Alle verarbeiteten Dateien aus der Liste entfernen; die Dateien selbst werden nicht gelöscht</translation>
    </message>
    <message>
        <source>&amp;Show in Folder</source>
        <translation>Im Or&amp;dner anzeigen</translation>
    </message>
    <message>
        <source>Show the selected files in the file manager</source>
        <translation>Die ausgewählten Dateien im Dateimanager anzeigen</translation>
    </message>
    <message>
        <source>Show the version and the licences</source>
        <translation>Version und Lizenzen anzeigen</translation>
    </message>
    <message>
        <source>The list is empty</source>
        <translation>Die Liste ist leer</translation>
    </message>
    <message>
        <source>Select files first</source>
        <translation>Wählen Sie zuerst Dateien aus</translation>
    </message>
    <message>
        <source>No files are shown</source>
        <translation>Es werden keine Dateien angezeigt</translation>
    </message>
    <message>
        <source>No files have been processed</source>
        <translation>Es wurden noch keine Dateien verarbeitet</translation>
    </message>
    <message>
        <source>No files have failed</source>
        <translation>Keine Dateien sind fehlgeschlagen</translation>
    </message>
    <message>
        <source>None of the selected files is waiting in this queue</source>
        <translation>Keine der ausgewählten Dateien wartet in dieser Warteschlange</translation>
    </message>
    <message>
        <source>None of the selected files has finished yet</source>
        <translation>Keine der ausgewählten Dateien ist schon fertig</translation>
    </message>
    <message>
        <source>Process all failed files again</source>
        <translation>Alle fehlgeschlagenen Dateien erneut verarbeiten</translation>
    </message>
    <message>
        <source>Retry &amp;Failed</source>
        <translation>Feh&amp;lgeschlagene erneut versuchen</translation>
    </message>
    <message>
        <source>Retry All With &amp;This Reason</source>
        <translation>Alle mit diesem &amp;Grund erneut versuchen</translation>
    </message>
    <message>
        <source>Retry all files that failed for the reason selected in the sidebar, or for the same reason as the selected file</source>
        <translation>Alle Dateien erneut verarbeiten, die aus dem in der Seitenleiste gewählten Grund oder aus demselben Grund wie die ausgewählte Datei fehlgeschlagen sind</translation>
    </message>
    <message>
        <source>Remove the selected files from the list; the files themselves are not deleted</source>
        <translation>Die ausgewählten Dateien aus der Liste entfernen; die Dateien selbst werden nicht gelöscht</translation>
    </message>
    <message>
        <source>Op&amp;en</source>
        <translation>&amp;Öffnen</translation>
    </message>
    <message>
        <source>Open the selected files in their default programs</source>
        <translation>Die ausgewählten Dateien mit ihren Standardprogrammen öffnen</translation>
    </message>
    <message>
        <source>Choose the queue to use, and test the connection to it</source>
        <translation>Die Warteschlange auswählen und die Verbindung prüfen</translation>
    </message>
    <message>
        <source>Co&amp;nnection…</source>
        <translation>&amp;Verbindung…</translation>
    </message>
    <message>
        <source>Lo&amp;cate File…</source>
        <translation>Datei su&amp;chen…</translation>
    </message>
    <message>
        <source>Choose the new location of the selected file, and process it from there</source>
        <translation>Den neuen Ort der ausgewählten Datei angeben und sie von dort verarbeiten</translation>
    </message>
    <message>
        <source>&amp;Other Programs&apos; Messages…</source>
        <translation>&amp;Nachrichten anderer Programme…</translation>
    </message>
    <message>
        <source>Show the messages that other programs sent to the queue</source>
        <translation>Die Nachrichten anzeigen, die andere Programme an die Warteschlange gesendet haben</translation>
    </message>
    <message>
        <source>Filemill &amp;Help</source>
        <translation>Filemill-&amp;Hilfe</translation>
    </message>
    <message>
        <source>Show how to use Filemill; no network is needed</source>
        <translation>Zeigen, wie man Filemill benutzt; braucht kein Netzwerk</translation>
    </message>
    <message>
        <source>&amp;Keyboard Shortcuts</source>
        <translation>&amp;Tastenkürzel</translation>
    </message>
    <message>
        <source>Show all keyboard shortcuts</source>
        <translation>Alle Tastenkürzel anzeigen</translation>
    </message>
    <message>
        <source>Show &amp;Log</source>
        <translation>&amp;Protokoll anzeigen</translation>
    </message>
    <message>
        <source>Show what Filemill has logged</source>
        <translation>Anzeigen, was Filemill protokolliert hat</translation>
    </message>
    <message>
        <source>Save Support &amp;Report…</source>
        <translation>Supportbericht &amp;speichern…</translation>
    </message>
    <message>
        <source>Collect information for a bug report; you can review it before it is saved</source>
        <translation>Informationen für einen Fehlerbericht sammeln; Sie können sie prüfen, bevor sie gespeichert werden</translation>
    </message>
    <message>
        <source>&amp;About Filemill</source>
        <translation>Ü&amp;ber Filemill</translation>
    </message>
    <message>
        <source>The List Can&apos;t Be Read</source>
        <translation>Die Liste kann nicht gelesen werden</translation>
    </message>
    <message>
        <source>The database that holds the list of files is damaged.</source>
        <translation>Die Datenbank mit der Liste der Dateien ist beschädigt.</translation>
    </message>
    <message>
        <source>The damaged database is kept in either case. Your files themselves were not changed.</source>
        <translation>Die beschädigte Datenbank wird in jedem Fall aufbewahrt. Ihre Dateien selbst wurden nicht verändert.</translation>
    </message>
    <message>
        <source>Use the Backup from {when}</source>
        <translation>Sicherung vom {when} verwenden</translation>
    </message>
    <message>
        <source>Start With an Empty List</source>
        <translation>Mit leerer Liste beginnen</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>Beenden</translation>
    </message>
    <message>
        <source>Filter files</source>
        <translation>Dateien filtern</translation>
    </message>
    <message>
        <source>Words, *.json, status:failed, size:&gt;10MB, added:today and more. Alt+Down lists them all.</source>
        <translation>Wörter, *.json, status:fehlgeschlagen, größe:&gt;10MB, hinzugefügt:heute und mehr. Alt+Abwärts zeigt alles.</translation>
    </message>
    <message>
        <source>What you can type</source>
        <translation>Was Sie eingeben können</translation>
    </message>
    <message>
        <source>What you can type (Alt+Down)</source>
        <translation>Was Sie eingeben können (Alt+Abwärts)</translation>
    </message>
    <message numerus="yes">
        <source>%Ln suggestion(s)</source>
        <translation>
            <numerusform>%Ln Vorschlag</numerusform>
            <numerusform>%Ln Vorschläge</numerusform>
        </translation>
    </message>
    <message>
        <source>Clear the filter</source>
        <translation>Filter löschen</translation>
    </message>
    <message>
        <source>Select a reason in the sidebar, or a file that has failed</source>
        <translation>Wählen Sie in der Seitenleiste einen Grund oder eine fehlgeschlagene Datei aus</translation>
    </message>
    <message>
        <source>Test results</source>
        <translation>Ergebnisse der Prüfung</translation>
    </message>
    <message>
        <source>Problem</source>
        <translation>Problem</translation>
    </message>
    <message>
        <source>OK</source>
        <translation>OK</translation>
    </message>
    <message>
        <source>Note</source>
        <translation>Hinweis</translation>
    </message>
    <message>
        <source>Show each attempt to process this file</source>
        <translation>Alle Versuche anzeigen, diese Datei zu verarbeiten</translation>
    </message>
    <message>
        <source>Detail pages</source>
        <translation>Detailseiten</translation>
    </message>
    <message>
        <source>Summary</source>
        <translation>Übersicht</translation>
    </message>
    <message>
        <source>Message</source>
        <translation>Nachricht</translation>
    </message>
    <message>
        <source>Log</source>
        <translation>Protokoll</translation>
    </message>
    <message>
        <source>Attempts ({number})</source>
        <translation>Versuche ({number})</translation>
    </message>
    <message>
        <source>Paused batch</source>
        <translation>Pausierter Stapel</translation>
    </message>
    <message>
        <source>Retry Failed</source>
        <translation>Fehlgeschlagene erneut versuchen</translation>
    </message>
    <message>
        <source>Filemill restarts as soon as it has finished this.</source>
        <translation>Filemill startet neu, sobald das fertig ist.</translation>
    </message>
    <message>
        <source>Use my AWS &amp;queue instead…</source>
        <translation>Stattdessen meine AWS-&amp;Warteschlange verwenden…</translation>
    </message>
    <message>
        <source>Drop files or folders anywhere in this window. They are processed on this computer – no AWS account needed.</source>
        <translation>Ziehen Sie Dateien oder Ordner in dieses Fenster. Sie werden auf diesem Computer verarbeitet – ganz ohne AWS-Konto.</translation>
    </message>
    <message>
        <source>Drop files or folders anywhere in this window. They are processed through the queue {queue}.</source>
        <translation>Ziehen Sie Dateien oder Ordner in dieses Fenster. Sie werden über die Warteschlange {queue} verarbeitet.</translation>
    </message>
    <message>
        <source>Menus</source>
        <translation>Menüs</translation>
    </message>
    <message>
        <source>&amp;File</source>
        <translation>&amp;Datei</translation>
    </message>
    <message>
        <source>&amp;Edit</source>
        <translation>&amp;Bearbeiten</translation>
    </message>
    <message>
        <source>&amp;View</source>
        <translation>&amp;Ansicht</translation>
    </message>
    <message>
        <source>&amp;Columns</source>
        <translation>&amp;Spalten</translation>
    </message>
    <message>
        <source>&amp;Sort By</source>
        <translation>S&amp;ortieren nach</translation>
    </message>
    <message>
        <source>Re&amp;member in the keyring</source>
        <translation>Im Schlüsselbund &amp;merken</translation>
    </message>
    <message>
        <source>&amp;Use an AWS profile or a region</source>
        <translation>AWS-Profil &amp;oder Region verwenden</translation>
    </message>
    <message>
        <source>Reload</source>
        <translation>Neu laden</translation>
    </message>
    <message>
        <source>Read the profiles again</source>
        <translation>Die Profile neu einlesen</translation>
    </message>
    <message>
        <source>&amp;Process files from this queue on this computer</source>
        <translation>Dateien aus dieser Warteschlange auf diesem Computer verar&amp;beiten</translation>
    </message>
    <message>
        <source>Select this only if no other program uses the queue: each time Filemill receives another program&apos;s message, it counts as a delivery attempt.</source>
        <translation>Nur auswählen, wenn kein anderes Programm die Warteschlange verwendet: Jeder Empfang einer Nachricht eines anderen Programms zählt als Zustellversuch.</translation>
    </message>
    <message>
        <source>Files are added, queued and processed on this computer. Files that are unfinished when you close Filemill will be processed the next time you start it.</source>
        <translation>Dateien werden auf diesem Computer hinzugefügt, eingereiht und verarbeitet. Dateien, die beim Schließen von Filemill noch nicht fertig sind, werden nach dem nächsten Start weiter verarbeitet.</translation>
    </message>
    <message>
        <source>Looking for the system&apos;s keyring…</source>
        <translation>Der Schlüsselbund des Systems wird gesucht …</translation>
    </message>
    <message>
        <source>This &amp;computer – no account needed</source>
        <translation>Dieser &amp;Computer – kein Konto nötig</translation>
    </message>
    <message>
        <source>&amp;Amazon SQS</source>
        <translation>&amp;Amazon SQS</translation>
    </message>
    <message>
        <source>A&amp;nother SQS-compatible server</source>
        <translation>Ein a&amp;nderer SQS-kompatibler Server</translation>
    </message>
    <message>
        <source>Type both to replace those in the system&apos;s keyring.</source>
        <translation>Geben Sie beide ein, um die im Schlüsselbund des Systems zu ersetzen.</translation>
    </message>
    <message>
        <source>They will be kept in the system&apos;s keyring.</source>
        <translation>Sie werden im Schlüsselbund des Systems aufbewahrt.</translation>
    </message>
    <message>
        <source>Leave both empty if the server checks no keys. They are forgotten when you quit.</source>
        <translation>Lassen Sie beide leer, wenn der Server keine Schlüssel prüft. Sie werden beim Beenden vergessen.</translation>
    </message>
    <message>
        <source>&amp;Server</source>
        <translation>&amp;Server</translation>
    </message>
    <message>
        <source>Access &amp;key ID</source>
        <translation>Zugriffsschlüssel-&amp;ID</translation>
    </message>
    <message>
        <source>Secret access ke&amp;y</source>
        <translation>&amp;Geheimer Zugriffsschlüssel</translation>
    </message>
    <message>
        <source>P&amp;rofile</source>
        <translation>P&amp;rofil</translation>
    </message>
    <message>
        <source>Re&amp;gion</source>
        <translation>Re&amp;gion</translation>
    </message>
    <message>
        <source>Otherwise, the keys are forgotten when you quit Filemill. They are never in its settings.</source>
        <translation>Sonst werden die Schlüssel vergessen, wenn Sie Filemill beenden. Sie stehen nie in den Einstellungen.</translation>
    </message>
    <message>
        <source>&amp;Queue</source>
        <translation>&amp;Warteschlange</translation>
    </message>
    <message>
        <source>AWS default – no profile named</source>
        <translation>AWS-Standard – kein Profil angegeben</translation>
    </message>
    <message>
        <source>This profile does not exist in {files}.</source>
        <translation>Dieses Profil ist in {files} nicht vorhanden.</translation>
    </message>
    <message>
        <source> or </source>
        <translation> oder </translation>
    </message>
    <message>
        <source>From the profile.</source>
        <translation>Aus dem Profil.</translation>
    </message>
    <message>
        <source>Filemill will use {url}</source>
        <translation>Filemill verwendet {url}</translation>
    </message>
    <message>
        <source>Optional</source>
        <translation>Optional</translation>
    </message>
    <message>
        <source>In the system&apos;s keyring</source>
        <translation>Im Schlüsselbund des Systems</translation>
    </message>
    <message>
        <source>For example, eu-west-1</source>
        <translation>Zum Beispiel eu-west-1</translation>
    </message>
    <message>
        <source>A queue&apos;s name, URL or ARN</source>
        <translation>Name, URL oder ARN</translation>
    </message>
    <message>
        <source>&amp;Help</source>
        <translation>&amp;Hilfe</translation>
    </message>
    <message>
        <source>&amp;Undo</source>
        <translation>&amp;Rückgängig</translation>
    </message>
    <message>
        <source>R&amp;edo</source>
        <translation>&amp;Wiederholen</translation>
    </message>
    <message>
        <source>Undo the last change to the list</source>
        <translation>Die letzte Änderung an der Liste rückgängig machen</translation>
    </message>
    <message>
        <source>Redo the change that was undone</source>
        <translation>Die rückgängig gemachte Änderung wiederholen</translation>
    </message>
    <message>
        <source>Tools</source>
        <translation>Werkzeuge</translation>
    </message>
    <message>
        <source>&amp;Clear Filter</source>
        <translation>Filter &amp;löschen</translation>
    </message>
    <message>
        <source>&amp;Show All Files</source>
        <translation>Alle Dateien an&amp;zeigen</translation>
    </message>
    <message>
        <source>No problems</source>
        <translation>Keine Probleme</translation>
    </message>
    <message>
        <source>Select a batch in the sidebar first</source>
        <translation>Wählen Sie zuerst einen Stapel in der Seitenleiste</translation>
    </message>
    <message>
        <source>There are no such files in the list.</source>
        <translation>Es gibt keine solchen Dateien in der Liste.</translation>
    </message>
    <message>
        <source>None of these files has finished yet.</source>
        <translation>Keine dieser Dateien ist schon fertig.</translation>
    </message>
    <message>
        <source>&amp;Show</source>
        <translation>&amp;Anzeigen</translation>
    </message>
    <message>
        <source>Re&amp;name…</source>
        <translation>&amp;Umbenennen…</translation>
    </message>
    <message>
        <source>No files have failed.</source>
        <translation>Keine Datei ist fehlgeschlagen.</translation>
    </message>
    <message>
        <source>&amp;Export…</source>
        <translation>&amp;Exportieren…</translation>
    </message>
    <message>
        <source>No files have been processed.</source>
        <translation>Es wurden keine Dateien verarbeitet.</translation>
    </message>
    <message>
        <source>Remove &amp;Processed</source>
        <translation>Verar&amp;beitete entfernen</translation>
    </message>
    <message>
        <source>Re&amp;move All</source>
        <translation>Alle &amp;entfernen</translation>
    </message>
    <message>
        <source>Nothing to retry: these files have not finished yet.</source>
        <translation>Diese Dateien sind noch nicht fertig und werden deshalb nicht erneut verarbeitet.</translation>
    </message>
    <message>
        <source>There are no files to retry.</source>
        <translation>Es gibt keine Dateien, die erneut verarbeitet werden können.</translation>
    </message>
    <message>
        <source>Retrying {done} of {files}…</source>
        <translation>{done} von {files} werden erneut versucht…</translation>
    </message>
    <message>
        <source>Stopped: {done} of {files} will be processed again.</source>
        <translation>Angehalten: {done} von {files} werden erneut verarbeitet.</translation>
    </message>
    <message numerus="yes">
        <source>%Ln file(s) will be processed again.</source>
        <translation>
            <numerusform>%Ln Datei wird erneut verarbeitet.</numerusform>
            <numerusform>%Ln Dateien werden erneut verarbeitet.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln file(s) will be processed again. Skipped because unfinished: {left}.</source>
        <translation>
            <numerusform>%Ln Datei wird erneut verarbeitet. Übersprungen, da noch nicht fertig: {left}.</numerusform>
            <numerusform>%Ln Dateien werden erneut verarbeitet. Übersprungen, da noch nicht fertig: {left}.</numerusform>
        </translation>
    </message>
    <message>
        <source>Moving {done} of {files} to the front…</source>
        <translation>{done} von {files} werden nach vorn gestellt…</translation>
    </message>
    <message>
        <source>“{name}” will be processed from its new location.</source>
        <translation>„{name}“ wird vom neuen Speicherort verarbeitet.</translation>
    </message>
    <message>
        <source>“{name}” is already being processed.</source>
        <translation>„{name}“ wird bereits verarbeitet.</translation>
    </message>
    <message numerus="yes">
        <source>Remove %Ln File(s)</source>
        <comment>what can be undone</comment>
        <translation>
            <numerusform>(%Ln Datei entfernen)</numerusform>
            <numerusform>(%Ln Dateien entfernen)</numerusform>
        </translation>
    </message>
    <message>
        <source>There are no files to remove.</source>
        <translation>Es gibt keine Dateien zum Entfernen.</translation>
    </message>
    <message>
        <source>Rename Batch</source>
        <translation>Stapel umbenennen</translation>
    </message>
    <message>
        <source>Removing {done} of {files}…</source>
        <translation>{done} von {files} werden entfernt…</translation>
    </message>
    <message>
        <source>Restoring {done} of {files}…</source>
        <translation>{done} von {files} werden wiederhergestellt…</translation>
    </message>
    <message>
        <source>Removed {done} of {files} from the list.</source>
        <translation>{done} von {files} aus der Liste entfernt.</translation>
    </message>
    <message numerus="yes">
        <source>Removed %Ln file(s) from the list. Nothing was changed on disk.</source>
        <translation>
            <numerusform>%Ln Datei aus der Liste entfernt. Die Datei selbst wurde nicht verändert.</numerusform>
            <numerusform>%Ln Dateien aus der Liste entfernt. Die Dateien selbst wurden nicht verändert.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Copied %Ln row(s).</source>
        <translation>
            <numerusform>%Ln Zeile kopiert.</numerusform>
            <numerusform>%Ln Zeilen kopiert.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Copied %Ln path(s).</source>
        <translation>
            <numerusform>%Ln Pfad kopiert.</numerusform>
            <numerusform>%Ln Pfade kopiert.</numerusform>
        </translation>
    </message>
    <message>
        <source>No files match “{words}”</source>
        <translation>Keine Datei passt zu „{words}“</translation>
    </message>
    <message>
        <source>Only the files that match the selection in the sidebar are searched.</source>
        <translation>Es werden nur die Dateien durchsucht, die zur Auswahl in der Seitenleiste passen.</translation>
    </message>
    <message>
        <source>No files here</source>
        <translation>Keine Dateien hier</translation>
    </message>
    <message>
        <source>No files match the selection in the sidebar.</source>
        <translation>Keine Datei passt zur Auswahl in der Seitenleiste.</translation>
    </message>
    <message>
        <source>&amp;Search All Files</source>
        <translation>In &amp;allen Dateien suchen</translation>
    </message>
    <message>
        <source>Dismiss this message</source>
        <translation>Diese Meldung schließen</translation>
    </message>
    <message>
        <source>Dismiss</source>
        <translation>Schließen</translation>
    </message>
    <message>
        <source>{title} ({times} times)</source>
        <translation>{title} ({times}-mal)</translation>
    </message>
    <message>
        <source>Stopping…</source>
        <translation>Wird angehalten…</translation>
    </message>
    <message>
        <source>Sidebar</source>
        <translation>Seitenleiste</translation>
    </message>
    <message>
        <source>{number} ms</source>
        <translation>{number} ms</translation>
    </message>
    <message>
        <source>Local queue</source>
        <translation>Lokale Warteschlange</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>Name</translation>
    </message>
    <message>
        <source>Status</source>
        <translation>Status</translation>
    </message>
    <message>
        <source>Progress</source>
        <translation>Fortschritt</translation>
    </message>
    <message>
        <source>Lines</source>
        <translation>Zeilen</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>Größe</translation>
    </message>
    <message>
        <source>Added</source>
        <translation>Hinzugefügt</translation>
    </message>
    <message>
        <source>Duration</source>
        <translation>Dauer</translation>
    </message>
    <message>
        <source>Reason</source>
        <translation>Grund</translation>
    </message>
    <message>
        <source>Folder</source>
        <translation>Ordner</translation>
    </message>
    <message>
        <source>Type</source>
        <translation>Typ</translation>
    </message>
    <message>
        <source>Finished</source>
        <translation>Beendet</translation>
    </message>
    <message>
        <source>Modified</source>
        <translation>Geändert</translation>
    </message>
    <message>
        <source>Attempts</source>
        <translation>Versuche</translation>
    </message>
    <message>
        <source>Batch</source>
        <translation>Stapel</translation>
    </message>
    <message>
        <source>Queue</source>
        <translation>Warteschlange</translation>
    </message>
    <message>
        <source>Message ID</source>
        <translation>Nachrichten-ID</translation>
    </message>
    <message>
        <source>Job ID</source>
        <translation>Auftrags-ID</translation>
    </message>
    <message>
        <source>Problems</source>
        <translation>Probleme</translation>
    </message>
    <message>
        <source>Batches</source>
        <translation>Stapel</translation>
    </message>
    <message>
        <source>No reason given</source>
        <translation>Kein Grund angegeben</translation>
    </message>
    <message>
        <source>All</source>
        <comment>files of every status</comment>
        <translation>Alle</translation>
    </message>
    <message numerus="yes">
        <source>and %Ln similar reason(s)</source>
        <translation>
            <numerusform>und %Ln ähnlicher Grund</numerusform>
            <numerusform>und %Ln ähnliche Gründe</numerusform>
        </translation>
    </message>
    <message>
        <source>Retry all with this reason</source>
        <translation>Alle mit diesem Grund erneut versuchen</translation>
    </message>
    <message>
        <source>The content is not valid</source>
        <translation>Der Inhalt ist nicht gültig</translation>
    </message>
    <message>
        <source>The content could not be verified</source>
        <translation>Der Inhalt konnte nicht bestätigt werden</translation>
    </message>
    <message>
        <source>A limit was exceeded</source>
        <translation>Eine Grenze wurde überschritten</translation>
    </message>
    <message>
        <source>It can&apos;t be processed this way here</source>
        <translation>So kann es hier nicht verarbeitet werden</translation>
    </message>
    <message>
        <source>The command failed</source>
        <translation>Der Befehl ist fehlgeschlagen</translation>
    </message>
    <message>
        <source>The plug-in failed</source>
        <translation>Das Plug-in ist fehlgeschlagen</translation>
    </message>
    <message>
        <source>Retry all with these reasons</source>
        <translation>Alle mit diesen Gründen erneut versuchen</translation>
    </message>
    <message numerus="yes">
        <source>%Ln different reason(s)</source>
        <translation>
            <numerusform>%Ln anderer Grund</numerusform>
            <numerusform>%Ln verschiedene Gründe</numerusform>
        </translation>
    </message>
    <message>
        <source>{done} done</source>
        <comment>files of a batch</comment>
        <translation>{done} fertig</translation>
    </message>
    <message>
        <source>Paused</source>
        <comment>a batch</comment>
        <translation>Pausiert</translation>
    </message>
    <message>
        <source>{failed} failed</source>
        <translation>{failed} fehlgeschlagen</translation>
    </message>
    <message>
        <source>Added {moment}</source>
        <translation>Hinzugefügt: {moment}</translation>
    </message>
    <message>
        <source>Show &amp;Older Batches</source>
        <translation>Ä&amp;ltere Stapel anzeigen</translation>
    </message>
    <message>
        <source>Sidebar and files</source>
        <translation>Seitenleiste und Dateien</translation>
    </message>
    <message>
        <source>&amp;Retry All</source>
        <translation>&amp;Alle erneut versuchen</translation>
    </message>
    <message>
        <source>Filemill Can&apos;t Start</source>
        <translation>Filemill kann nicht starten</translation>
    </message>
    <message>
        <source>Copy Command</source>
        <translation>Befehl kopieren</translation>
    </message>
    <message>
        <source>Copy Request</source>
        <translation>Anfrage kopieren</translation>
    </message>
    <message>
        <source>Sign In…</source>
        <translation>Anmelden…</translation>
    </message>
    <message>
        <source>Test Again</source>
        <translation>Erneut prüfen</translation>
    </message>
    <message>
        <source>Try Again</source>
        <translation>Erneut versuchen</translation>
    </message>
    <message>
        <source>Look in Other Regions</source>
        <translation>In anderen Regionen suchen</translation>
    </message>
    <message>
        <source>Send Only</source>
        <translation>Nur senden</translation>
    </message>
    <message>
        <source>Show Messages</source>
        <translation>Nachrichten anzeigen</translation>
    </message>
    <message>
        <source>Process Anyway</source>
        <translation>Trotzdem verarbeiten</translation>
    </message>
    <message>
        <source>Choose Profile…</source>
        <translation>Profil auswählen…</translation>
    </message>
    <message>
        <source>Choose Region…</source>
        <translation>Region auswählen…</translation>
    </message>
    <message>
        <source>Choose Queue…</source>
        <translation>Warteschlange auswählen…</translation>
    </message>
    <message>
        <source>Type Keys…</source>
        <translation>Schlüssel eingeben…</translation>
    </message>
    <message>
        <source>Details</source>
        <translation>Details</translation>
    </message>
    <message>
        <source>Work Locally</source>
        <translation>Lokal arbeiten</translation>
    </message>
    <message>
        <source>Open Folder</source>
        <translation>Ordner öffnen</translation>
    </message>
    <message>
        <source>Copied: {command}. Run it in a terminal; the waiting files will then be processed.</source>
        <translation>Kopiert: {command}. Führen Sie den Befehl in einem Terminal aus; danach werden die wartenden Dateien verarbeitet.</translation>
    </message>
    <message>
        <source>The request was copied. Send it to the administrator of this AWS account.</source>
        <translation>Die Anfrage wurde kopiert. Senden Sie sie an den Administrator dieses AWS-Kontos.</translation>
    </message>
    <message>
        <source>What happened</source>
        <translation>Was passiert ist</translation>
    </message>
    <message>
        <source>Cause</source>
        <translation>Ursache</translation>
    </message>
    <message>
        <source>Response</source>
        <translation>Antwort</translation>
    </message>
    <message>
        <source>Shown at (UTC)</source>
        <translation>Angezeigt um (UTC)</translation>
    </message>
    <message>
        <source>Copy these details when you ask for help.</source>
        <translation>Kopieren Sie diese Angaben, wenn Sie um Hilfe bitten.</translation>
    </message>
    <message>
        <source>Text</source>
        <translation>Text</translation>
    </message>
    <message>
        <source>Open Date &amp; Time Settings</source>
        <translation>Einstellungen für Datum und Uhrzeit öffnen</translation>
    </message>
    <message>
        <source>The folder {folder} can&apos;t be used: it, or a part of its path, is not a folder. Set FILEMILL_HOME to another folder.</source>
        <translation>Der Ordner {folder} kann nicht verwendet werden: Er selbst oder ein Teil des Pfads ist kein Ordner. Legen Sie mit FILEMILL_HOME einen anderen fest.</translation>
    </message>
    <message>
        <source>The folder {folder} can&apos;t be used: {why}. Make it writable, or set FILEMILL_HOME to another folder.</source>
        <translation>Der Ordner {folder} kann nicht verwendet werden: {why}. Geben Sie sich Schreibrechte für den Ordner, oder legen Sie mit FILEMILL_HOME einen anderen fest.</translation>
    </message>
    <message>
        <source>{variable} is “{named}”, but there is no such user. Correct it.</source>
        <translation>{variable} ist „{named}“, aber diesen Benutzer gibt es nicht. Korrigieren Sie die Variable.</translation>
    </message>
    <message>
        <source>{variable} is “{named}”, a relative path, but the current folder was removed. Set it to an absolute path, or change to another folder.</source>
        <translation>{variable} ist „{named}“, ein relativer Pfad, aber der aktuelle Ordner wurde gelöscht. Geben Sie einen absoluten Pfad an, oder wechseln Sie in einen anderen Ordner.</translation>
    </message>
    <message>
        <source>The file no longer exists</source>
        <translation>Die Datei ist nicht mehr vorhanden</translation>
    </message>
    <message>
        <source>The file no longer exists: part of its path is not a folder</source>
        <translation>Die Datei ist nicht mehr vorhanden: Ein Teil ihres Pfads ist kein Ordner</translation>
    </message>
    <message>
        <source>The path is too long for this system</source>
        <translation>Der Pfad ist zu lang für dieses System</translation>
    </message>
    <message>
        <source>This is not a valid file name</source>
        <translation>Das ist kein gültiger Dateiname</translation>
    </message>
    <message>
        <source>You don&apos;t have permission to read this file</source>
        <translation>Keine Berechtigung, diese Datei zu lesen</translation>
    </message>
    <message>
        <source>You don&apos;t have permission to read this file, or another program is using it</source>
        <translation>Keine Berechtigung, diese Datei zu lesen, oder ein anderes Programm verwendet sie</translation>
    </message>
    <message>
        <source>The file could not be read from its disk or network share</source>
        <translation>Die Datei konnte nicht von ihrem Datenträger oder ihrer Netzwerkfreigabe gelesen werden</translation>
    </message>
    <message>
        <source>The disk or network share at {place} does not respond</source>
        <translation>Das Laufwerk oder die Netzwerkfreigabe unter {place} antwortet nicht</translation>
    </message>
    <message>
        <source>This computer is low on memory or has too many files open</source>
        <translation>Auf diesem Computer ist zu wenig Arbeitsspeicher frei, oder es sind zu viele Dateien geöffnet</translation>
    </message>
    <message>
        <source>This is a named pipe; only regular files can be processed</source>
        <translation>Dies ist eine benannte Pipe; nur reguläre Dateien können verarbeitet werden</translation>
    </message>
    <message>
        <source>This is a socket; only regular files can be processed</source>
        <translation>Dies ist ein Socket; nur reguläre Dateien können verarbeitet werden</translation>
    </message>
    <message>
        <source>This is a device; only regular files can be processed</source>
        <translation>Dies ist ein Gerät; nur reguläre Dateien können verarbeitet werden</translation>
    </message>
    <message>
        <source>This is not a regular file</source>
        <translation>Dies ist keine reguläre Datei</translation>
    </message>
    <message>
        <source>This symbolic link points back to itself and never reaches a file</source>
        <translation>Diese symbolische Verknüpfung verweist auf sich selbst und führt nie zu einer Datei</translation>
    </message>
    <message>
        <source>Web addresses are not supported yet; download the file and add it from this computer</source>
        <translation>Webadressen werden noch nicht unterstützt; laden Sie die Datei herunter und fügen Sie sie von diesem Computer hinzu</translation>
    </message>
    <message>
        <source>Filemill can&apos;t process this kind of file</source>
        <translation>Filemill kann Dateien dieser Art nicht verarbeiten</translation>
    </message>
    <message>
        <source>“{processor}” is not available on this computer: {why}</source>
        <translation>„{processor}“ ist auf diesem Computer nicht verfügbar: {why}</translation>
    </message>
    <message>
        <source>It can&apos;t be processed with these options: {why}</source>
        <translation>Mit diesen Optionen kann die Datei nicht verarbeitet werden: {why}</translation>
    </message>
    <message>
        <source>The {kind} checksum does not match: expected {expected}, found {found}</source>
        <translation>Die {kind}-Prüfsumme stimmt nicht überein: erwartet {expected}, gefunden {found}</translation>
    </message>
    <message>
        <source>The {kind} checksum does not match “{list}”: expected {expected}, found {found}</source>
        <translation>Die {kind}-Prüfsumme stimmt nicht mit „{list}“ überein: erwartet {expected}, gefunden {found}</translation>
    </message>
    <message>
        <source>It can&apos;t be verified: {why}</source>
        <translation>Sie kann nicht überprüft werden: {why}</translation>
    </message>
    <message>
        <source>The content is not valid: {why}</source>
        <translation>Der Inhalt ist ungültig: {why}</translation>
    </message>
    <message>
        <source>The plug-in “{plugin}” failed: {why}</source>
        <translation>Das Plug-in „{plugin}“ ist fehlgeschlagen: {why}</translation>
    </message>
    <message>
        <source>Processing was ended because it took longer than {seconds} seconds</source>
        <translation>Die Verarbeitung wurde beendet, weil sie länger als {seconds} Sekunden dauerte</translation>
    </message>
    <message>
        <source>It can&apos;t be processed within the limits: {why}</source>
        <translation>Die Datei kann innerhalb der Grenzen nicht verarbeitet werden: {why}</translation>
    </message>
    <message>
        <source>The result can&apos;t be stored: {why}</source>
        <translation>Das Ergebnis kann nicht gespeichert werden: {why}</translation>
    </message>
    <message>
        <source>The command failed (exit code {exit_code}): {why}</source>
        <translation>Der Befehl ist fehlgeschlagen (Exit-Code {exit_code}): {why}</translation>
    </message>
    <message>
        <source>The command failed with exit code {exit_code}, without a message</source>
        <translation>Der Befehl ist mit Exit-Code {exit_code} fehlgeschlagen, ohne Meldung</translation>
    </message>
    <message>
        <source>The command was ended by the signal {signal}</source>
        <translation>Der Befehl wurde durch das Signal {signal} beendet</translation>
    </message>
    <message>
        <source>The command can&apos;t be started: {why}</source>
        <translation>Der Befehl kann nicht gestartet werden: {why}</translation>
    </message>
    <message>
        <source>The command was ended because it printed nothing for {seconds} seconds</source>
        <translation>Der Befehl wurde beendet, weil er {seconds} Sekunden lang nichts ausgegeben hat</translation>
    </message>
    <message>
        <source>What the command wrote is not accepted: {why}</source>
        <translation>Was der Befehl geschrieben hat, wird nicht angenommen: {why}</translation>
    </message>
    <message>
        <source>The output folder can&apos;t be used: {why}</source>
        <translation>Der Ausgabeordner kann nicht verwendet werden: {why}</translation>
    </message>
    <message>
        <source>The file changed while it was being read; the result was discarded because it could be wrong</source>
        <translation>Die Datei wurde geändert, während sie gelesen wurde; das Ergebnis wurde verworfen, weil es falsch sein könnte</translation>
    </message>
    <message>
        <source>The size that the system reports for this file does not match its content, so it can&apos;t be processed</source>
        <translation>Die Größe, die das System für diese Datei meldet, stimmt nicht mit ihrem Inhalt überein; deshalb kann sie nicht verarbeitet werden</translation>
    </message>
    <message>
        <source>Filemill exited unexpectedly while it was processing this file</source>
        <translation>Das Programm wurde unerwartet beendet, während es diese Datei verarbeitete</translation>
    </message>
    <message>
        <source>Filemill exited unexpectedly {count} times while it was processing this file. Other files are not affected</source>
        <translation>Das Programm wurde {count}-mal unerwartet beendet, während es diese Datei verarbeitete. Andere Dateien sind nicht betroffen</translation>
    </message>
    <message>
        <source>An internal error occurred in Filemill. See the log for details.</source>
        <translation>In Filemill ist ein interner Fehler aufgetreten. Details finden Sie im Protokoll.</translation>
    </message>
    <message>
        <source>“{processor}” is not available on {computer}; it waits for a worker that has it</source>
        <translation>„{processor}“ ist auf {computer} nicht verfügbar; die Datei wartet auf einen Worker, der es hat</translation>
    </message>
    <message>
        <source>“{processor}” is not available on {computer}; it waits for {others}</source>
        <translation>„{processor}“ ist auf {computer} nicht verfügbar; die Datei wartet auf {others}</translation>
    </message>
    <message>
        <source>The batch is paused, because many of its files failed for the same reason</source>
        <translation>Der Stapel ist pausiert, weil viele seiner Dateien aus demselben Grund fehlgeschlagen sind</translation>
    </message>
    <message>
        <source>The queue rejected its message: {why}</source>
        <translation>Die Warteschlange hat die Nachricht abgelehnt: {why}</translation>
    </message>
    <message>
        <source>The queue rejected its message: The queue “{name}” rejected the request: {why}</source>
        <translation>Die Warteschlange hat die Nachricht abgelehnt: Die Warteschlange „{name}“ hat die Anfrage abgelehnt: {why}</translation>
    </message>
    <message>
        <source>Moved to the dead-letter queue after {count} deliveries</source>
        <translation>Nach {count} Zustellungen in die Dead-Letter-Warteschlange verschoben</translation>
    </message>
    <message>
        <source>Moved to the dead-letter queue after one delivery</source>
        <translation>Nach einer Zustellung in die Dead-Letter-Warteschlange verschoben</translation>
    </message>
    <message>
        <source>The file does not exist</source>
        <translation>Die Datei gibt es nicht</translation>
    </message>
    <message>
        <source>This link points to a file that does not exist</source>
        <translation>Diese Verknüpfung verweist auf eine Datei, die es nicht gibt</translation>
    </message>
    <message>
        <source>This is a link to a folder; links to folders are not followed, so that nothing is added twice</source>
        <translation>Dies ist eine Verknüpfung zu einem Ordner; solchen Verknüpfungen wird nicht gefolgt, damit nichts doppelt hinzugefügt wird</translation>
    </message>
    <message>
        <source>This location is not mounted on this computer; open it in the file manager first, and try again</source>
        <translation>Dieser Ort ist auf diesem Computer nicht eingebunden; öffnen Sie ihn zuerst im Dateimanager, und versuchen Sie es erneut</translation>
    </message>
    <message>
        <source>This address points to another computer; only files on this computer can be added</source>
        <translation>Diese Adresse verweist auf einen anderen Computer; nur Dateien auf diesem Computer können hinzugefügt werden</translation>
    </message>
    <message>
        <source>The current folder was removed; change to another folder, or give an absolute path</source>
        <translation>Der aktuelle Ordner wurde gelöscht; wechseln Sie in einen anderen Ordner, oder geben Sie einen absoluten Pfad an</translation>
    </message>
    <message>
        <source>This folder no longer exists</source>
        <translation>Dieser Ordner ist nicht mehr vorhanden</translation>
    </message>
    <message>
        <source>You don&apos;t have permission to open this folder</source>
        <translation>Keine Berechtigung, diesen Ordner zu öffnen</translation>
    </message>
    <message>
        <source>You don&apos;t have permission to open the folder that contains this item</source>
        <translation>Keine Berechtigung, den übergeordneten Ordner zu öffnen</translation>
    </message>
    <message>
        <source>{reason} (gave up after {tries} attempts)</source>
        <translation>{reason} (nach {tries} Versuchen aufgegeben)</translation>
    </message>
    <message>
        <source>{reason}; attempt {next} of {most} will follow</source>
        <translation>{reason}; Versuch {next} von {most} folgt</translation>
    </message>
    <message>
        <source>This is a folder, not a file</source>
        <translation>Dies ist ein Ordner, keine Datei</translation>
    </message>
    <message>
        <source>Another program is using this file</source>
        <translation>Ein anderes Programm verwendet diese Datei</translation>
    </message>
    <message>
        <source>The system can&apos;t read this file: {why}</source>
        <translation>Das System kann diese Datei nicht lesen: {why}</translation>
    </message>
    <message>
        <source>The disk or network share did not answer for 10 minutes</source>
        <translation>Der Datenträger oder die Netzwerkfreigabe hat 10 Minuten lang nicht geantwortet</translation>
    </message>
    <message>
        <source>This is a folder; add it as a folder to include the files in it</source>
        <translation>Dies ist ein Ordner; fügen Sie ihn als Ordner hinzu, um die Dateien darin einzuschließen</translation>
    </message>
    <message>
        <source>Web addresses can&apos;t be added yet; download the file first</source>
        <translation>Webadressen können noch nicht hinzugefügt werden; laden Sie die Datei zuerst herunter</translation>
    </message>
    <message>
        <source>{key} must be between {least} and {most}, not {value}.</source>
        <translation>{key} muss zwischen {least} und {most} liegen, ist aber {value}.</translation>
    </message>
    <message>
        <source>{key} must be “parallel” or “strict”, not “{value}”.</source>
        <translation>{key} muss „parallel“ oder „strict“ sein, nicht „{value}“.</translation>
    </message>
    <message>
        <source>“{value}” is not a valid value for {key}.</source>
        <translation>„{value}“ ist kein gültiger Wert für {key}.</translation>
    </message>
    <message>
        <source>{file} can&apos;t be read: {why}.</source>
        <translation>{file} kann nicht gelesen werden: {why}.</translation>
    </message>
    <message>
        <source>{file}: {reason} Fix the file, or delete it to start with the defaults.</source>
        <translation>{file}: {reason} Korrigieren Sie die Datei, oder löschen Sie sie, um mit den Voreinstellungen zu beginnen.</translation>
    </message>
    <message>
        <source>{file} is not a regular file. Delete it to start with the defaults.</source>
        <translation>{file} ist keine reguläre Datei. Löschen Sie sie, um mit den Voreinstellungen zu beginnen.</translation>
    </message>
    <message>
        <source>{file} is not UTF-8 text. Fix the file, or delete it to start with the defaults.</source>
        <translation>{file} ist kein UTF-8-Text. Korrigieren Sie die Datei, oder löschen Sie sie, um mit den Voreinstellungen zu beginnen.</translation>
    </message>
    <message>
        <source>{file} is not valid TOML. Fix the file, or delete it to start with the defaults.</source>
        <translation>{file} ist kein gültiges TOML. Korrigieren Sie die Datei, oder löschen Sie sie, um mit den Voreinstellungen zu beginnen.</translation>
    </message>
    <message>
        <source>{file} is not valid TOML (line {line}). Fix the file, or delete it to start with the defaults.</source>
        <translation>{file} ist kein gültiges TOML (Zeile {line}). Korrigieren Sie die Datei, oder löschen Sie sie, um mit den Voreinstellungen zu beginnen.</translation>
    </message>
    <message>
        <source>“{name}” is not a valid queue name: use up to 80 letters, digits, - and _, with .fifo at the end for a FIFO queue. A queue URL is accepted too.</source>
        <translation>„{name}“ ist kein gültiger Name für eine Warteschlange: Verwenden Sie bis zu 80 Buchstaben, Ziffern, - und _, für eine FIFO-Warteschlange mit .fifo am Ende. Auch die URL einer Warteschlange ist möglich.</translation>
    </message>
    <message>
        <source>The server URL contains a user name or password, which SQS does not use. Remove it from AWS_ENDPOINT_URL_SQS, AWS_ENDPOINT_URL, or endpoint_url in the settings.</source>
        <translation>Die Server-URL enthält einen Benutzernamen oder ein Passwort, das SQS nicht verwendet. Entfernen Sie es aus AWS_ENDPOINT_URL_SQS, AWS_ENDPOINT_URL oder endpoint_url in den Einstellungen.</translation>
    </message>
    <message>
        <source>The queue URL contains a user name or password, which SQS does not use. Remove it from the URL.</source>
        <translation>Die URL der Warteschlange enthält einen Benutzernamen oder ein Passwort, das SQS nicht verwendet. Entfernen Sie es aus der URL.</translation>
    </message>
    <message>
        <source>“{url}” is not a valid server URL. Correct AWS_ENDPOINT_URL_SQS, AWS_ENDPOINT_URL, or endpoint_url in the settings.</source>
        <translation>„{url}“ ist keine gültige Server-URL. Korrigieren Sie AWS_ENDPOINT_URL_SQS, AWS_ENDPOINT_URL oder endpoint_url in den Einstellungen.</translation>
    </message>
    <message>
        <source>“{url}” is not a valid queue URL.</source>
        <translation>„{url}“ ist keine gültige URL einer Warteschlange.</translation>
    </message>
    <message>
        <source>The queue URL “{url}” does not end in a queue name. Add the name at the end.</source>
        <translation>Die URL „{url}“ endet nicht mit dem Namen einer Warteschlange. Ergänzen Sie den Namen am Ende.</translation>
    </message>
    <message>
        <source>“{name}” is not a valid name of a command: use up to 40 small letters, digits, - and _.</source>
        <translation>„{name}“ ist kein gültiger Name für einen Befehl: Erlaubt sind bis zu 40 Kleinbuchstaben, Ziffern, - und _.</translation>
    </message>
    <message>
        <source>{key} must be between {least} and {most}, not {value}</source>
        <translation>{key} muss zwischen {least} und {most} liegen, nicht {value}</translation>
    </message>
    <message>
        <source>conflict must be “number” or “replace”, not “{value}”</source>
        <translation>conflict muss „number“ oder „replace“ sein, nicht „{value}“</translation>
    </message>
    <message>
        <source>its title contains control characters</source>
        <translation>sein Titel enthält Steuerzeichen</translation>
    </message>
    <message>
        <source>“{pattern}” is not a pattern of file names</source>
        <translation>„{pattern}“ ist kein Muster für Dateinamen</translation>
    </message>
    <message>
        <source>the variable “{variable}” can&apos;t be passed to a command</source>
        <translation>die Variable „{variable}“ kann nicht an einen Befehl übergeben werden</translation>
    </message>
    <message>
        <source>argv must contain a program</source>
        <translation>argv muss ein Programm enthalten</translation>
    </message>
    <message>
        <source>“{program}” is a batch file, whose arguments can&apos;t be passed safely</source>
        <translation>„{program}“ ist eine Batchdatei, deren Argumente nicht sicher übergeben werden können</translation>
    </message>
    <message>
        <source>the program itself can&apos;t contain braces: “{program}”</source>
        <translation>das Programm selbst darf keine geschweiften Klammern enthalten: „{program}“</translation>
    </message>
    <message>
        <source>the program must be an absolute path, or a name that is searched in PATH, not “{program}”</source>
        <translation>das Programm muss ein absoluter Pfad oder ein Name sein, der in PATH gesucht wird, nicht „{program}“</translation>
    </message>
    <message>
        <source>argv has more than {most} elements</source>
        <translation>argv hat mehr als {most} Elemente</translation>
    </message>
    <message>
        <source>an argument contains a NUL character</source>
        <translation>ein Argument enthält ein NUL-Zeichen</translation>
    </message>
    <message>
        <source>it uses {out}, but has no output folder</source>
        <translation>er verwendet {out}, hat aber keinen Ausgabeordner</translation>
    </message>
    <message>
        <source>the output folder must be an absolute path, or begin with {folder} or ~, not “{output}”</source>
        <translation>der Ausgabeordner muss ein absoluter Pfad sein oder mit {folder} oder ~ beginnen, nicht „{output}“</translation>
    </message>
    <message>
        <source>the output folder can contain {folder} only at its beginning</source>
        <translation>der Ausgabeordner darf {folder} nur am Anfang enthalten</translation>
    </message>
    <message>
        <source>The command “{name}” is not valid: {problem}.</source>
        <translation>Der Befehl „{name}“ ist nicht gültig: {problem}.</translation>
    </message>
    <message>
        <source>“{text}” contains {part}, which is not one of {known}; write {{{{ and }}}} for braces</source>
        <translation>„{text}“ enthält {part}, das keines von {known} ist; geschweifte Klammern werden als {{{{ und }}}} geschrieben</translation>
    </message>
    <message>
        <source>[command] must be written as [[command]].</source>
        <translation>[command] muss als [[command]] geschrieben werden.</translation>
    </message>
    <message>
        <source>there are two commands of this name</source>
        <translation>es gibt zwei Befehle mit diesem Namen</translation>
    </message>
    <message>
        <source>A [[command]] has no name.</source>
        <translation>Ein [[command]] hat keinen Namen.</translation>
    </message>
    <message>
        <source>a list of numbers</source>
        <translation>eine Liste von Zahlen</translation>
    </message>
    <message>
        <source>a list of texts</source>
        <translation>eine Liste von Texten</translation>
    </message>
    <message>
        <source>a whole number</source>
        <translation>eine ganze Zahl</translation>
    </message>
    <message>
        <source>text in quotes</source>
        <translation>Text in Anführungszeichen</translation>
    </message>
    <message>
        <source>{key} must be {wanted}</source>
        <translation>{key} muss {wanted} sein</translation>
    </message>
    <message>
        <source>{file} is too large to be a file of commands.</source>
        <translation>{file} ist zu groß für eine Datei mit Befehlen.</translation>
    </message>
    <message>
        <source>{file} contains no command.</source>
        <translation>{file} enthält keinen Befehl.</translation>
    </message>
    <message>
        <source>Count words (wc)</source>
        <translation>Wörter zählen (wc)</translation>
    </message>
    <message>
        <source>Check audio and video, and find their duration (ffprobe)</source>
        <translation>Audio und Video prüfen und die Dauer ermitteln (ffprobe)</translation>
    </message>
    <message>
        <source>Write the metadata into a text file (exiftool)</source>
        <translation>Metadaten in eine Textdatei schreiben (exiftool)</translation>
    </message>
    <message>
        <source>Convert to HTML (pandoc)</source>
        <translation>In HTML umwandeln (pandoc)</translation>
    </message>
    <message>
        <source>Recognize the text in pictures (tesseract)</source>
        <translation>Text in Bildern erkennen (tesseract)</translation>
    </message>
    <message>
        <source>true or false</source>
        <translation>true oder false</translation>
    </message>
    <message>
        <source>another program is changing it</source>
        <translation>ein anderes Programm ändert sie gerade</translation>
    </message>
    <message>
        <source>{key} must be {wanted}, not {value}.</source>
        <translation>{key} muss {wanted} sein, nicht {value}.</translation>
    </message>
    <message>
        <source>{file} can&apos;t be written: {why}.</source>
        <translation>{file} kann nicht geschrieben werden: {why}.</translation>
    </message>
    <message>
        <source>{file} is damaged. To set it aside and use the newest backup instead, see “filemill doctor --help”.</source>
        <translation>{file} ist beschädigt. Wie Sie sie beiseitelegen und durch die neueste Sicherung ersetzen, zeigt „filemill doctor --help“.</translation>
    </message>
    <message>
        <source>{file} could not be backed up: {why}</source>
        <translation>Von {file} konnte keine Sicherung erstellt werden: {why}</translation>
    </message>
    <message>
        <source>{file} can&apos;t be moved: {why}.</source>
        <translation>{file} kann nicht verschoben werden: {why}.</translation>
    </message>
    <message>
        <source>{file} can&apos;t be copied: {why}.</source>
        <translation>{file} kann nicht kopiert werden: {why}.</translation>
    </message>
    <message>
        <source>This copy of Filemill is incomplete: {folder} contains no migration scripts.</source>
        <translation>Diese Kopie von Filemill ist unvollständig: {folder} enthält keine Migrationsskripte.</translation>
    </message>
    <message>
        <source>{file} was written by a newer version of Filemill (schema {newer}; this version supports up to {known}). Install the newer version, or set FILEMILL_DATABASE to another file. Nothing was changed.</source>
        <translation>{file} wurde von einer neueren Version von Filemill geschrieben (Schema {newer}; diese Version unterstützt Schemas bis {known}). Installieren Sie die neuere Version, oder legen Sie mit FILEMILL_DATABASE eine andere Datei fest. Es wurde nichts geändert.</translation>
    </message>
    <message>
        <source>{file} belongs to another program. Set FILEMILL_DATABASE to another file. Nothing was changed.</source>
        <translation>{file} gehört zu einem anderen Programm. Legen Sie mit FILEMILL_DATABASE eine andere Datei fest. Es wurde nichts geändert.</translation>
    </message>
    <message>
        <source>{file} can&apos;t be written: {why}. Check its folder.</source>
        <translation>{file} kann nicht geschrieben werden: {why}. Prüfen Sie den Ordner.</translation>
    </message>
    <message>
        <source>{file} was replaced while Filemill was using it. Filemill continues with the new file.</source>
        <translation>{file} wurde ersetzt, während Filemill sie benutzte. Filemill arbeitet mit der neuen Datei weiter.</translation>
    </message>
    <message>
        <source>{file} is empty. To replace it with the newest backup, see “filemill doctor --help”.</source>
        <translation>{file} ist leer. Wie Sie sie durch die neueste Sicherung ersetzen, zeigt „filemill doctor --help“.</translation>
    </message>
    <message>
        <source>{file} can&apos;t be found, but its last changes are in {log}: it was moved or deleted. Put it back, or delete {log} to start with an empty list.</source>
        <translation>{file} ist nicht zu finden, aber die letzten Änderungen sind in {log}: Sie wurde verschoben oder gelöscht. Legen Sie sie zurück, oder löschen Sie {log}, um mit einer leeren Liste zu beginnen.</translation>
    </message>
    <message>
        <source>Another program is using {file} and has not released it. Close that program, then try again.</source>
        <translation>Ein anderes Programm verwendet {file} und gibt die Datei nicht frei. Schließen Sie das Programm, und versuchen Sie es erneut.</translation>
    </message>
    <message>
        <source>{file} can&apos;t be opened: {why}. Make its folder writable, or set FILEMILL_DATABASE.</source>
        <translation>{file} kann nicht geöffnet werden: {why}. Geben Sie sich Schreibrechte für den Ordner, oder setzen Sie FILEMILL_DATABASE.</translation>
    </message>
    <message>
        <source>{file} was written by a newer version of Filemill. Install that version, or delete the file: the messages of waiting files will be sent again.</source>
        <translation>{file} wurde von einer neueren Version von Filemill geschrieben. Installieren Sie die neuere Version, oder löschen Sie die Datei: Die Nachrichten wartender Dateien werden dann erneut gesendet.</translation>
    </message>
    <message>
        <source>This computer may be very busy. Filemill will try again.</source>
        <translation>Möglicherweise ist dieser Computer stark ausgelastet. Filemill versucht es erneut.</translation>
    </message>
    <message>
        <source>The local queue did not respond in time</source>
        <translation>Die lokale Warteschlange hat nicht rechtzeitig geantwortet</translation>
    </message>
    <message>
        <source>The disk that contains {file} is full or not writable. Free some space or check the disk, then try again.</source>
        <translation>Der Datenträger mit {file} ist voll oder nicht beschreibbar. Geben Sie Speicherplatz frei oder prüfen Sie den Datenträger, und versuchen Sie es dann erneut.</translation>
    </message>
    <message>
        <source>{file} can&apos;t be written. Check the permissions of the file and its folder.</source>
        <translation>{file} kann nicht geschrieben werden. Prüfen Sie die Berechtigungen der Datei und ihres Ordners.</translation>
    </message>
    <message>
        <source>{file} is damaged. Delete it, then try again: the messages of waiting files will be sent again.</source>
        <translation>{file} ist beschädigt. Löschen Sie die Datei, und versuchen Sie es erneut: Die Nachrichten wartender Dateien werden dann erneut gesendet.</translation>
    </message>
    <message>
        <source>FILEMILL_DATABASE is “{named}”: only a path or sqlite:///path is supported. Correct it, or unset it.</source>
        <translation>FILEMILL_DATABASE ist „{named}“: Nur ein Pfad oder sqlite:///Pfad wird unterstützt. Korrigieren oder entfernen Sie die Variable.</translation>
    </message>
    <message>
        <source>Filemill</source>
        <translation>Filemill</translation>
    </message>
    <message>
        <source>Filemill is running but not responding.</source>
        <translation>Filemill läuft, reagiert aber nicht.</translation>
    </message>
    <message>
        <source>Stopping it is safe: unfinished files will be processed again.</source>
        <translation>Das Beenden ist unbedenklich: Unfertige Dateien werden erneut verarbeitet.</translation>
    </message>
    <message>
        <source>Wait</source>
        <translation>Warten</translation>
    </message>
    <message>
        <source>Stop and Restart</source>
        <translation>Beenden und neu starten</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>It may still be starting. You can wait a little longer.</source>
        <translation>Vielleicht wird es noch gestartet. Sie können noch etwas warten.</translation>
    </message>
    <message>
        <source>It was started at {time}. Its process ID is {number}.</source>
        <translation>Es wurde um {time} gestartet. Die Prozess-ID ist {number}.</translation>
    </message>
    <message>
        <source>An export is in progress. Wait for it to finish, or stop it.</source>
        <translation>Ein Export läuft bereits. Warten Sie, bis er fertig ist, oder brechen Sie ihn ab.</translation>
    </message>
    <message>
        <source>Export List</source>
        <translation>Liste exportieren</translation>
    </message>
    <message>
        <source>The columns s&amp;hown</source>
        <translation>Die &amp;sichtbaren Spalten</translation>
    </message>
    <message>
        <source>E&amp;verything, with full paths</source>
        <translation>&amp;Alles, mit vollen Pfaden</translation>
    </message>
    <message>
        <source>Add the full &amp;path of each file</source>
        <translation>Den vollständigen &amp;Pfad jeder Datei hinzufügen</translation>
    </message>
    <message>
        <source>Files</source>
        <translation>Dateien</translation>
    </message>
    <message>
        <source>Columns</source>
        <translation>Spalten</translation>
    </message>
    <message>
        <source>Format</source>
        <translation>Format</translation>
    </message>
    <message>
        <source>Target file</source>
        <translation>Zieldatei</translation>
    </message>
    <message>
        <source>&amp;Choose…</source>
        <translation>Aus&amp;wählen…</translation>
    </message>
    <message>
        <source>Choose the file to export to</source>
        <translation>Zieldatei auswählen</translation>
    </message>
    <message>
        <source>&amp;Format</source>
        <translation>&amp;Format</translation>
    </message>
    <message>
        <source>&amp;Save as</source>
        <translation>Speichern &amp;unter</translation>
    </message>
    <message>
        <source>&amp;Export</source>
        <translation>E&amp;xportieren</translation>
    </message>
    <message>
        <source>CSV with commas</source>
        <translation>CSV mit Kommas</translation>
    </message>
    <message>
        <source>CSV with semicolons</source>
        <translation>CSV mit Semikolons</translation>
    </message>
    <message>
        <source>JSON, for other programs</source>
        <translation>JSON, für andere Programme</translation>
    </message>
    <message>
        <source>The files shown in the &amp;list ({count})</source>
        <translation>Die in der &amp;Liste angezeigten ({count})</translation>
    </message>
    <message>
        <source>&amp;Only the selected files ({count})</source>
        <translation>Nur die &amp;ausgewählten ({count})</translation>
    </message>
    <message>
        <source>&amp;All files ({count})</source>
        <translation>Alle &amp;Dateien ({count})</translation>
    </message>
    <message>
        <source>&amp;Files of “{group}” ({count})</source>
        <translation>&amp;Dateien von „{group}“ ({count})</translation>
    </message>
    <message>
        <source>CSV files (*.csv)</source>
        <translation>CSV-Dateien (*.csv)</translation>
    </message>
    <message>
        <source>JSON files (*.json)</source>
        <translation>JSON-Dateien (*.json)</translation>
    </message>
    <message>
        <source>Choose a file to export to.</source>
        <translation>Wählen Sie eine Zieldatei aus.</translation>
    </message>
    <message>
        <source>&amp;Replace</source>
        <translation>E&amp;rsetzen</translation>
    </message>
    <message>
        <source>Filemill list {moment}</source>
        <translation>Filemill-Liste {moment}</translation>
    </message>
    <message>
        <source>Exporting the list…</source>
        <translation>Liste wird exportiert…</translation>
    </message>
    <message>
        <source>Exporting the list: {done} of {total}</source>
        <translation>Liste wird exportiert: {done} von {total}</translation>
    </message>
    <message>
        <source>The export was stopped. Nothing was written.</source>
        <translation>Der Export wurde abgebrochen. Es wurde nichts geschrieben.</translation>
    </message>
    <message numerus="yes">
        <source>Exported %Ln file(s) to “{name}”.</source>
        <translation>
            <numerusform>%Ln Datei nach „{name}“ exportiert.</numerusform>
            <numerusform>%Ln Dateien nach „{name}“ exportiert.</numerusform>
        </translation>
    </message>
    <message>
        <source>Show Attempts</source>
        <translation>Versuche anzeigen</translation>
    </message>
    <message numerus="yes">
        <source>You can open at most %Ln file(s) at once.</source>
        <translation>
            <numerusform>Sie können höchstens %Ln Datei auf einmal öffnen.</numerusform>
            <numerusform>Sie können höchstens %Ln Dateien auf einmal öffnen.</numerusform>
        </translation>
    </message>
    <message>
        <source>No program on this computer can open “{name}”.</source>
        <translation>Auf diesem Computer gibt es kein Programm, das „{name}“ öffnen kann.</translation>
    </message>
    <message>
        <source>The folder that contains “{name}” can&apos;t be opened; it may no longer exist.</source>
        <translation>Der Ordner von „{name}“ kann nicht geöffnet werden; vielleicht gibt es ihn nicht mehr.</translation>
    </message>
    <message>
        <source>No program on this computer can show the folder “{name}”.</source>
        <translation>Kein Programm auf diesem Computer kann den Ordner „{name}“ anzeigen.</translation>
    </message>
    <message>
        <source>“{name}” no longer exists. It was moved, renamed or deleted after it was added.</source>
        <translation>„{name}“ gibt es nicht mehr. Die Datei wurde nach dem Hinzufügen verschoben, umbenannt oder gelöscht.</translation>
    </message>
    <message numerus="yes">
        <source>%Ln file(s) no longer (exists. It was|exist. They were) moved, renamed or deleted.</source>
        <translation>
            <numerusform>%Ln Datei gibt es nicht mehr. Sie wurde verschoben, umbenannt oder gelöscht.</numerusform>
            <numerusform>%Ln Dateien gibt es nicht mehr. Sie wurden verschoben, umbenannt oder gelöscht.</numerusform>
        </translation>
    </message>
    <message>
        <source>“{name}” already exists. Export again to replace it, or choose another name.</source>
        <translation>„{name}“ ist bereits vorhanden. Exportieren Sie erneut, um die Datei zu ersetzen, oder wählen Sie einen anderen Namen.</translation>
    </message>
    <message>
        <source>“{name}” is a folder. Choose another name.</source>
        <translation>„{name}“ ist ein Ordner. Wählen Sie einen anderen Namen.</translation>
    </message>
    <message>
        <source>There is not enough free space on the disk for “{name}”. Free some space, or choose another folder.</source>
        <translation>Auf dem Datenträger ist nicht genug Speicherplatz für „{name}“. Geben Sie Speicherplatz frei, oder wählen Sie einen anderen Ordner.</translation>
    </message>
    <message>
        <source>The folder {folder} is not writable. Choose another one.</source>
        <translation>In den Ordner {folder} kann nicht geschrieben werden. Wählen Sie einen anderen Ordner.</translation>
    </message>
    <message>
        <source>The folder {folder} does not exist. Choose another one.</source>
        <translation>Den Ordner {folder} gibt es nicht. Wählen Sie einen anderen Ordner.</translation>
    </message>
    <message>
        <source>{file} can&apos;t be written: {cause}.</source>
        <translation>{file} kann nicht geschrieben werden: {cause}.</translation>
    </message>
    <message>
        <source>the current folder was removed</source>
        <translation>Der aktuelle Ordner wurde gelöscht</translation>
    </message>
    <message>
        <source>it is not a regular file</source>
        <translation>Dies ist keine reguläre Datei</translation>
    </message>
    <message numerus="yes">
        <source>Add %Ln File(s)</source>
        <translation>
            <numerusform>(%Ln Datei hinzufügen)</numerusform>
            <numerusform>(%Ln Dateien hinzufügen)</numerusform>
        </translation>
    </message>
    <message>
        <source>Redo</source>
        <translation>Wiederholen</translation>
    </message>
    <message>
        <source>Restored {done} of {files} to the list.</source>
        <translation>{done} von {files} in der Liste wiederhergestellt.</translation>
    </message>
    <message>
        <source>Restore All</source>
        <translation>Alle wiederherstellen</translation>
    </message>
    <message numerus="yes">
        <source>Restored %Ln file(s) to the list.</source>
        <translation>
            <numerusform>%Ln Datei wieder in die Liste aufgenommen.</numerusform>
            <numerusform>%Ln Dateien wieder in die Liste aufgenommen.</numerusform>
        </translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>Rückgängig</translation>
    </message>
    <message>
        <source>Scanning {place}… {files}</source>
        <translation>{place} wird durchsucht… {files}</translation>
    </message>
    <message>
        <source>Adding {done} of {files}…</source>
        <translation>{done} von {files} werden hinzugefügt…</translation>
    </message>
    <message numerus="yes">
        <source>%Ln item(s)</source>
        <translation>
            <numerusform>%Ln Element</numerusform>
            <numerusform>%Ln Elemente</numerusform>
        </translation>
    </message>
    <message>
        <source>Add Files</source>
        <translation>Dateien hinzufügen</translation>
    </message>
    <message>
        <source>Add</source>
        <translation>Hinzufügen</translation>
    </message>
    <message>
        <source>Add Folder</source>
        <translation>Ordner hinzufügen</translation>
    </message>
    <message>
        <source>Include &amp;subfolders</source>
        <translation>&amp;Unterordner einschließen</translation>
    </message>
    <message>
        <source>Include &amp;subfolders (there are none)</source>
        <translation>&amp;Unterordner einschließen (keine vorhanden)</translation>
    </message>
    <message>
        <source>*.csv; *.txt</source>
        <translation>*.csv; *.txt</translation>
    </message>
    <message>
        <source>Include files that match</source>
        <translation>Passende Dateien einschließen</translation>
    </message>
    <message>
        <source>Only files whose names match one of these patterns are added. Use * for any characters; for example, *.csv; *.txt</source>
        <translation>Nur Dateien, deren Name einem dieser Muster entspricht, werden hinzugefügt. * steht für beliebige Zeichen; zum Beispiel *.csv; *.txt</translation>
    </message>
    <message>
        <source>~*; .git</source>
        <translation>~*; .git</translation>
    </message>
    <message>
        <source>Exclude files that match</source>
        <translation>Passende Dateien ausschließen</translation>
    </message>
    <message>
        <source>Files and folders whose names match one of these patterns are excluded; for example, ~*; .git; old/*.csv</source>
        <translation>Dateien und Ordner, deren Name einem dieser Muster entspricht, werden ausgeschlossen; zum Beispiel ~*; .git; old/*.csv</translation>
    </message>
    <message>
        <source>Batch name</source>
        <translation>Name des Stapels</translation>
    </message>
    <message>
        <source>S&amp;kip</source>
        <translation>Ü&amp;berspringen</translation>
    </message>
    <message>
        <source>Skip files that are already in the list</source>
        <translation>Dateien überspringen, die bereits in der Liste sind</translation>
    </message>
    <message>
        <source>Add a&amp;gain</source>
        <translation>Er&amp;neut hinzufügen</translation>
    </message>
    <message>
        <source>Add files even if they are already in the list</source>
        <translation>Dateien auch dann hinzufügen, wenn sie bereits in der Liste sind</translation>
    </message>
    <message>
        <source>Sho&amp;w…</source>
        <translation>An&amp;zeigen…</translation>
    </message>
    <message>
        <source>Show the items that can&apos;t be added</source>
        <translation>Elemente anzeigen, die nicht hinzugefügt werden können</translation>
    </message>
    <message>
        <source>Files from “{place}”</source>
        <translation>Dateien aus „{place}“</translation>
    </message>
    <message numerus="yes">
        <source>Files from %Ln place(s)</source>
        <translation>
            <numerusform>Dateien von %Ln Ort</numerusform>
            <numerusform>Dateien von %Ln Orten</numerusform>
        </translation>
    </message>
    <message>
        <source>&amp;Include</source>
        <translation>&amp;Einschließen</translation>
    </message>
    <message>
        <source>&amp;Options…</source>
        <translation>&amp;Optionen…</translation>
    </message>
    <message>
        <source>Options of the processing</source>
        <translation>Optionen der Verarbeitung</translation>
    </message>
    <message>
        <source>&amp;Exclude</source>
        <translation>Auss&amp;chließen</translation>
    </message>
    <message>
        <source>&amp;Batch name</source>
        <translation>Name des &amp;Stapels</translation>
    </message>
    <message>
        <source>&amp;Process as</source>
        <translation>&amp;Verarbeiten als</translation>
    </message>
    <message>
        <source>Counting…</source>
        <translation>Wird gezählt…</translation>
    </message>
    <message numerus="yes">
        <source>%Ln file(s) (is|are) already in the list and unchanged</source>
        <translation>
            <numerusform>%Ln Datei ist bereits in der Liste und unverändert</numerusform>
            <numerusform>%Ln Dateien sind bereits in der Liste und unverändert</numerusform>
        </translation>
    </message>
    <message>
        <source>&amp;Add Files</source>
        <translation>Dateien &amp;hinzufügen</translation>
    </message>
    <message numerus="yes">
        <source>&amp;Add %Ln File(s)</source>
        <translation>
            <numerusform>%Ln Datei &amp;hinzufügen</numerusform>
            <numerusform>%Ln Dateien &amp;hinzufügen</numerusform>
        </translation>
    </message>
    <message>
        <source>Process As</source>
        <translation>Verarbeiten als</translation>
    </message>
    <message>
        <source>&amp;Choose</source>
        <translation>&amp;Auswählen</translation>
    </message>
    <message numerus="yes">
        <source>(The only file does not match|None of the %Ln files match)</source>
        <translation>
            <numerusform>Die einzige Datei passt nicht</numerusform>
            <numerusform>Keine der %Ln Dateien passt</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>(%Ln file|All %Ln files), {size}</source>
        <translation>
            <numerusform>%Ln Datei, {size}</numerusform>
            <numerusform>Alle %Ln Dateien, {size}</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{chosen} of %Ln file(s), {size}</source>
        <translation>
            <numerusform>{chosen} von %Ln Datei, {size}</numerusform>
            <numerusform>{chosen} von %Ln Dateien, {size}</numerusform>
        </translation>
    </message>
    <message>
        <source>“{name}” can&apos;t be added: {why}.</source>
        <translation>„{name}“ kann nicht hinzugefügt werden: {why}.</translation>
    </message>
    <message>
        <source>Can&apos;t be added: {items}.</source>
        <translation>Kann nicht hinzugefügt werden: {items}.</translation>
    </message>
    <message numerus="yes">
        <source>%Ln link(s)</source>
        <comment>of the file system</comment>
        <translation>
            <numerusform>%Ln Verknüpfung</numerusform>
            <numerusform>%Ln Verknüpfungen</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln item(s) that (doesn&apos;t|don&apos;t) exist</source>
        <translation>
            <numerusform>%Ln nicht vorhandenes Element</numerusform>
            <numerusform>%Ln nicht vorhandene Elemente</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln folder(s) without read permission</source>
        <translation>
            <numerusform>%Ln Ordner ohne Leseberechtigung</numerusform>
            <numerusform>%Ln Ordner ohne Leseberechtigung</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln pipe(s) or device(s)</source>
        <translation>
            <numerusform>%Ln Pipe oder Gerät</numerusform>
            <numerusform>%Ln Pipes oder Geräte</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln web address(es)</source>
        <translation>
            <numerusform>%Ln Webadresse</numerusform>
            <numerusform>%Ln Webadressen</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln item(s) on other computers or devices</source>
        <translation>
            <numerusform>%Ln Element auf anderen Computern oder Geräten</numerusform>
            <numerusform>%Ln Elemente auf anderen Computern oder Geräten</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln other item(s)</source>
        <translation>
            <numerusform>%Ln anderes Element</numerusform>
            <numerusform>%Ln andere Elemente</numerusform>
        </translation>
    </message>
    <message>
        <source>Nothing was added: {why}</source>
        <translation>Es wurde nichts hinzugefügt: {why}</translation>
    </message>
    <message>
        <source>Stopped. Nothing was added.</source>
        <translation>Abgebrochen. Es wurde nichts hinzugefügt.</translation>
    </message>
    <message>
        <source>Stopped. {added}</source>
        <translation>Angehalten. {added}</translation>
    </message>
    <message>
        <source>“{batch}” was added.</source>
        <translation>„{batch}“ wurde hinzugefügt.</translation>
    </message>
    <message>
        <source>Added {batch}.</source>
        <translation>{batch} hinzugefügt.</translation>
    </message>
    <message>
        <source>Added {files}.</source>
        <translation>{files} hinzugefügt.</translation>
    </message>
    <message>
        <source>{files} added to “{batch}”.</source>
        <translation>{files} zu „{batch}“ hinzugefügt.</translation>
    </message>
    <message>
        <source>{added} Skipped because already in the list: {count}.</source>
        <translation>{added} Übersprungen, weil schon in der Liste: {count}.</translation>
    </message>
    <message>
        <source>{added} Added again although already in the list: {count}.</source>
        <translation>{added} Erneut hinzugefügt, obwohl schon in der Liste: {count}.</translation>
    </message>
    <message numerus="yes">
        <source>Nothing was added: %Ln file(s) (is|are) already in the list and unchanged.</source>
        <translation>
            <numerusform>Es wurde nichts hinzugefügt: %Ln Datei ist bereits in der Liste und unverändert.</numerusform>
            <numerusform>Es wurde nichts hinzugefügt: %Ln Dateien sind bereits in der Liste und unverändert.</numerusform>
        </translation>
    </message>
    <message>
        <source>Nothing was added: no files were found.</source>
        <translation>Es wurde nichts hinzugefügt, da keine Dateien gefunden wurden.</translation>
    </message>
    <message numerus="yes">
        <source>(This item can&apos;t|None of these %Ln items can) be added.</source>
        <translation>
            <numerusform>Dieses Element kann nicht hinzugefügt werden.</numerusform>
            <numerusform>Keines dieser %Ln Elemente kann hinzugefügt werden.</numerusform>
        </translation>
    </message>
    <message>
        <source>Show…</source>
        <translation>Anzeigen…</translation>
    </message>
    <message>
        <source>This queue contains messages from other programs. Click to show them.</source>
        <translation>Diese Warteschlange enthält Nachrichten anderer Programme. Klicken Sie, um sie anzuzeigen.</translation>
    </message>
    <message>
        <source>Connection: {words}</source>
        <translation>Verbindung: {words}</translation>
    </message>
    <message numerus="yes">
        <source>{part} of %Ln file(s)</source>
        <translation>
            <numerusform>{part} von %Ln Datei</numerusform>
            <numerusform>{part} von %Ln Dateien</numerusform>
        </translation>
    </message>
    <message>
        <source>{done} of {total}</source>
        <comment>1.2 of 8.0 GB</comment>
        <translation>{done} von {total}</translation>
    </message>
    <message>
        <source>{files}, {done} of {total}</source>
        <comment>1,044 of 1,248 files, 3.1 GB of 3.4 GB</comment>
        <translation>{files}, {done} von {total}</translation>
    </message>
    <message>
        <source>more than a day</source>
        <comment>how long it still takes</comment>
        <translation>mehr als ein Tag</translation>
    </message>
    <message>
        <source>less than a minute</source>
        <comment>how long it still takes</comment>
        <translation>weniger als eine Minute</translation>
    </message>
    <message numerus="yes">
        <source>~%Ln min</source>
        <comment>how long it still takes</comment>
        <translation>
            <numerusform>~%Ln min</numerusform>
            <numerusform>~%Ln min</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>~%Ln h</source>
        <comment>how long it still takes</comment>
        <translation>
            <numerusform>~%Ln h</numerusform>
            <numerusform>~%Ln h</numerusform>
        </translation>
    </message>
    <message>
        <source>~{hours} h {minutes} min</source>
        <comment>how long it still takes</comment>
        <translation>~{hours} h {minutes} min</translation>
    </message>
    <message>
        <source>{number}/s</source>
        <comment>files by the second</comment>
        <translation>{number}/s</translation>
    </message>
    <message>
        <source>{size}/s</source>
        <comment>12.3 MB by the second</comment>
        <translation>{size}/s</translation>
    </message>
    <message>
        <source>{number}/min</source>
        <comment>files by the minute</comment>
        <translation>{number}/min</translation>
    </message>
    <message>
        <source>{files} files and {size} per second</source>
        <translation>{files} Dateien und {size} pro Sekunde</translation>
    </message>
    <message numerus="yes">
        <source>%Ln file(s) failed.</source>
        <comment>a run is over</comment>
        <translation>
            <numerusform>%Ln Datei fehlgeschlagen.</numerusform>
            <numerusform>%Ln Dateien fehlgeschlagen.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln file(s) processed in {time}, {failed} failed.</source>
        <comment>a run is over</comment>
        <translation>
            <numerusform>%Ln Datei in {time} verarbeitet, {failed} fehlgeschlagen.</numerusform>
            <numerusform>%Ln Dateien in {time} verarbeitet, {failed} fehlgeschlagen.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln file(s) processed, {failed} failed.</source>
        <comment>a run is over</comment>
        <translation>
            <numerusform>%Ln Datei verarbeitet, {failed} fehlgeschlagen.</numerusform>
            <numerusform>%Ln Dateien verarbeitet, {failed} fehlgeschlagen.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln file(s) processed in {time}.</source>
        <comment>a run is over</comment>
        <translation>
            <numerusform>%Ln Datei in {time} verarbeitet.</numerusform>
            <numerusform>%Ln Dateien in {time} verarbeitet.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln file(s) processed.</source>
        <comment>a run is over</comment>
        <translation>
            <numerusform>%Ln Datei verarbeitet.</numerusform>
            <numerusform>%Ln Dateien verarbeitet.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln selected</source>
        <comment>files</comment>
        <translation>
            <numerusform>%Ln ausgewählt</numerusform>
            <numerusform>%Ln ausgewählt</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln failed</source>
        <comment>files</comment>
        <translation>
            <numerusform>%Ln fehlgeschlagen</numerusform>
            <numerusform>%Ln fehlgeschlagen</numerusform>
        </translation>
    </message>
    <message>
        <source>Throughput: {words}</source>
        <translation>Durchsatz: {words}</translation>
    </message>
    <message>
        <source>Overall progress</source>
        <translation>Gesamtfortschritt</translation>
    </message>
    <message>
        <source>Starting…</source>
        <translation>Wird gestartet…</translation>
    </message>
    <message numerus="yes">
        <source>▲ %Ln other message(s)</source>
        <comment>messages</comment>
        <translation>
            <numerusform>▲ %Ln fremde Nachricht</numerusform>
            <numerusform>▲ %Ln fremde Nachrichten</numerusform>
        </translation>
    </message>
    <message>
        <source>Work in progress</source>
        <translation>Laufende Vorgänge</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Something Went Wrong in Filemill</source>
        <translation>Fehler in Filemill</translation>
    </message>
    <message>
        <source>This is an error in Filemill, not in your files. Your list is safe, and you can keep working. If it happens again, please send this report. It does not include the content of your files.</source>
        <translation>Das ist ein Fehler in Filemill, nicht in Ihren Dateien. Ihre Liste ist sicher, und Sie können weiterarbeiten. Falls der Fehler erneut auftritt, senden Sie bitte diesen Bericht. Er enthält keine Inhalte Ihrer Dateien.</translation>
    </message>
    <message>
        <source>Report</source>
        <translation>Bericht</translation>
    </message>
    <message>
        <source>The log is in {folder}.</source>
        <translation>Das Protokoll befindet sich in {folder}.</translation>
    </message>
    <message>
        <source>&amp;Save Support Report…</source>
        <translation>Supportbericht &amp;speichern…</translation>
    </message>
    <message>
        <source>Copy Report</source>
        <translation>Bericht kopieren</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>Schließen</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>Kopieren</translation>
    </message>
    <message numerus="yes">
        <source>%Ln item(s) can&apos;t be processed and (was|were) not added.</source>
        <translation>
            <numerusform>%Ln Element kann nicht verarbeitet werden und wurde nicht hinzugefügt.</numerusform>
            <numerusform>%Ln Elemente können nicht verarbeitet werden und wurden nicht hinzugefügt.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{text} The first %Ln are shown.</source>
        <translation>
            <numerusform>{text} Die erste wird angezeigt.</numerusform>
            <numerusform>{text} Die ersten %Ln werden angezeigt.</numerusform>
        </translation>
    </message>
    <message>
        <source>Not Added</source>
        <translation>Nicht hinzugefügt</translation>
    </message>
    <message>
        <source>Item</source>
        <translation>Element</translation>
    </message>
    <message>
        <source>Keyboard Shortcuts</source>
        <translation>Tastenkürzel</translation>
    </message>
    <message>
        <source>Keyboard shortcuts in the main window.</source>
        <translation>Tastenkürzel im Hauptfenster.</translation>
    </message>
    <message>
        <source>Keys</source>
        <translation>Tasten</translation>
    </message>
    <message>
        <source>Action</source>
        <translation>Aktion</translation>
    </message>
    <message>
        <source>About Filemill</source>
        <translation>Über Filemill</translation>
    </message>
    <message>
        <source>Filemill {version}</source>
        <translation>Filemill {version}</translation>
    </message>
    <message>
        <source>Pick files, process them through a queue, and follow the status of each file.</source>
        <translation>Wählen Sie Dateien aus, lassen Sie sie über eine Warteschlange verarbeiten, und verfolgen Sie den Status jeder Datei.</translation>
    </message>
    <message>
        <source>Free software under the MIT licence.</source>
        <translation>Freie Software unter der MIT-Lizenz.</translation>
    </message>
    <message>
        <source>Copy &amp;Versions</source>
        <translation>&amp;Versionen kopieren</translation>
    </message>
    <message>
        <source>&amp;Licences…</source>
        <translation>&amp;Lizenzen …</translation>
    </message>
    <message>
        <source>Licences</source>
        <translation>Lizenzen</translation>
    </message>
    <message>
        <source>Component</source>
        <translation>Komponente</translation>
    </message>
    <message>
        <source>Version</source>
        <translation>Version</translation>
    </message>
    <message>
        <source>Licence</source>
        <translation>Lizenz</translation>
    </message>
    <message>
        <source>Components</source>
        <translation>Komponenten</translation>
    </message>
    <message>
        <source>Only files and folders on this computer can be dropped here</source>
        <translation>Hier können nur Dateien und Ordner von diesem Computer abgelegt werden</translation>
    </message>
    <message numerus="yes">
        <source>Drop to add %Ln item(s)</source>
        <translation>
            <numerusform>Loslassen, um %Ln Element hinzuzufügen</numerusform>
            <numerusform>Loslassen, um %Ln Elemente hinzuzufügen</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Drop to add %Ln file(s)</source>
        <translation>
            <numerusform>Loslassen, um %Ln Datei hinzuzufügen</numerusform>
            <numerusform>Loslassen, um %Ln Dateien hinzuzufügen</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Drop to add %Ln folder(s)</source>
        <translation>
            <numerusform>Loslassen, um %Ln Ordner hinzuzufügen</numerusform>
            <numerusform>Loslassen, um %Ln Ordner hinzuzufügen</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Drop to add {files} and %Ln folder(s)</source>
        <translation>
            <numerusform>Loslassen, um {files} und %Ln Ordner hinzuzufügen</numerusform>
            <numerusform>Loslassen, um {files} und %Ln Ordner hinzuzufügen</numerusform>
        </translation>
    </message>
    <message>
        <source>Add files to process</source>
        <translation>Dateien zum Verarbeiten hinzufügen</translation>
    </message>
    <message>
        <source>The list and its queue are in {folder}.</source>
        <translation>Die Liste und ihre Warteschlange liegen in {folder}.</translation>
    </message>
    <message>
        <source>The system&apos;s keyring was not changed</source>
        <translation>Der Schlüsselbund des Systems wurde nicht geändert</translation>
    </message>
    <message>
        <source>Other Programs&apos; Messages</source>
        <translation>Nachrichten anderer Programme</translation>
    </message>
    <message>
        <source>These messages came from the queue but are not Filemill&apos;s. They were left unchanged. The newest are shown here.</source>
        <translation>Diese Nachrichten kamen aus der Warteschlange, sind aber nicht von Filemill. Sie wurden nicht verändert. Hier werden die neuesten angezeigt.</translation>
    </message>
    <message>
        <source>Description</source>
        <translation>Beschreibung</translation>
    </message>
    <message>
        <source>Body</source>
        <translation>Nachrichtentext</translation>
    </message>
    <message numerus="yes">
        <source>{what}, delivered (once|%Ln times)</source>
        <translation>
            <numerusform>{what}, %Ln-mal zugestellt</numerusform>
            <numerusform>{what}, %Ln-mal zugestellt</numerusform>
        </translation>
    </message>
    <message>
        <source>Results</source>
        <translation>Ergebnisse</translation>
    </message>
    <message>
        <source>Fit Columns</source>
        <translation>Spaltenbreiten anpassen</translation>
    </message>
    <message>
        <source>Reset Columns</source>
        <translation>Spalten zurücksetzen</translation>
    </message>
    <message>
        <source>Hide This Column</source>
        <translation>Diese Spalte ausblenden</translation>
    </message>
    <message>
        <source>Make This Column Fast</source>
        <translation>Diese Spalte beschleunigen</translation>
    </message>
    <message>
        <source>Sorting and filtering by it is faster, and results are written slightly slower.</source>
        <translation>Das Sortieren und Filtern nach dieser Spalte geht schneller; Ergebnisse werden etwas langsamer geschrieben.</translation>
    </message>
    <message>
        <source>Then By</source>
        <translation>Dann nach</translation>
    </message>
    <message>
        <source>Order Added</source>
        <translation>Reihenfolge des Hinzufügens</translation>
    </message>
    <message>
        <source>Ascending</source>
        <translation>Aufsteigend</translation>
    </message>
    <message>
        <source>Descending</source>
        <translation>Absteigend</translation>
    </message>
    <message>
        <source>{column}, sorted in descending order</source>
        <translation>{column}, absteigend sortiert</translation>
    </message>
    <message>
        <source>{column}, sorted in ascending order</source>
        <translation>{column}, aufsteigend sortiert</translation>
    </message>
    <message>
        <source>{column}, second sort column, descending</source>
        <translation>{column}, zweite Sortierspalte, absteigend</translation>
    </message>
    <message>
        <source>{column}, second sort column, ascending</source>
        <translation>{column}, zweite Sortierspalte, aufsteigend</translation>
    </message>
    <message>
        <source>Sorted by {column}</source>
        <translation>Sortiert nach {column}</translation>
    </message>
    <message>
        <source>Sorted by {column}, then by {second}</source>
        <translation>Sortiert nach {column}, dann nach {second}</translation>
    </message>
    <message>
        <source>{column} (descending)</source>
        <translation>{column} (absteigend)</translation>
    </message>
    <message>
        <source>Sign-in required</source>
        <translation>Anmeldung erforderlich</translation>
    </message>
    <message>
        <source>Access to the queue denied</source>
        <translation>Zugriff auf die Warteschlange verweigert</translation>
    </message>
    <message>
        <source>Queue not found</source>
        <translation>Warteschlange nicht gefunden</translation>
    </message>
    <message>
        <source>The connection needs attention</source>
        <translation>Problem mit der Verbindung</translation>
    </message>
    <message>
        <source>Stopped</source>
        <translation>Angehalten</translation>
    </message>
    <message>
        <source>No more files will be processed until you resume. You can still add files; their messages will be sent to {queue}.</source>
        <translation>Bis zum Fortsetzen werden keine weiteren Dateien verarbeitet. Sie können weiterhin Dateien hinzufügen; ihre Nachrichten werden an {queue} gesendet.</translation>
    </message>
    <message>
        <source>Paused</source>
        <translation>Pausiert</translation>
    </message>
    <message>
        <source>Pausing…</source>
        <translation>Wird pausiert…</translation>
    </message>
    <message>
        <source>The current files will be finished first.</source>
        <translation>Die aktuellen Dateien werden noch fertig verarbeitet.</translation>
    </message>
    <message>
        <source>Nothing is being sent to or received from {queue}.</source>
        <translation>Es wird nichts an {queue} gesendet oder von dort empfangen.</translation>
    </message>
    <message>
        <source>Connecting to {queue}.</source>
        <translation>Verbindung mit {queue} wird hergestellt.</translation>
    </message>
    <message>
        <source>{queue} · sending only</source>
        <translation>{queue} · nur Senden</translation>
    </message>
    <message>
        <source>Files are queued and processed on this computer; no account is needed.</source>
        <translation>Dateien werden auf diesem Computer eingereiht und verarbeitet, ganz ohne Konto.</translation>
    </message>
    <message>
        <source>Files are processed through {queue}.</source>
        <translation>Dateien werden über {queue} verarbeitet.</translation>
    </message>
    <message>
        <source>Waiting for credentials – {seconds} s</source>
        <translation>Wartet auf Anmeldedaten – {seconds} s</translation>
    </message>
    <message>
        <source>Waiting</source>
        <translation>Wartet</translation>
    </message>
    <message>
        <source>Throttled – continuing in {seconds} s</source>
        <translation>Gedrosselt – wird in {seconds} s fortgesetzt</translation>
    </message>
    <message>
        <source>Trying again in {seconds} s</source>
        <translation>Erneuter Versuch in {seconds} s</translation>
    </message>
    <message>
        <source>{failed} of {files} failed for the same reason: {reason}.</source>
        <translation>{failed} von {files} aus demselben Grund fehlgeschlagen: {reason}.</translation>
    </message>
    <message numerus="yes">
        <source>%Ln file(s) (is|are) waiting for your decision.</source>
        <translation>
            <numerusform>%Ln Datei wartet auf Ihre Entscheidung.</numerusform>
            <numerusform>%Ln Dateien warten auf Ihre Entscheidung.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln more batch(es) (is|are) paused.</source>
        <translation>
            <numerusform>%Ln weiterer Stapel ist pausiert.</numerusform>
            <numerusform>%Ln weitere Stapel sind pausiert.</numerusform>
        </translation>
    </message>
    <message>
        <source>&amp;Continue</source>
        <translation>&amp;Fortsetzen</translation>
    </message>
    <message>
        <source>Retry &amp;As…</source>
        <translation>Wiederholen &amp;als…</translation>
    </message>
    <message>
        <source>“{name}” is paused</source>
        <translation>„{name}“ ist pausiert</translation>
    </message>
    <message>
        <source>Retry As</source>
        <translation>Wiederholen als</translation>
    </message>
    <message numerus="yes">
        <source>%Ln failed or waiting file(s) of the batch will be processed.</source>
        <translation>
            <numerusform>%Ln fehlgeschlagene oder wartende Datei des Stapels wird verarbeitet.</numerusform>
            <numerusform>%Ln fehlgeschlagene oder wartende Dateien des Stapels werden verarbeitet.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln file(s) will be processed again; those being processed now are skipped.</source>
        <translation>
            <numerusform>%Ln Datei wird erneut verarbeitet; wird sie gerade verarbeitet, wird sie übersprungen.</numerusform>
            <numerusform>%Ln Dateien werden erneut verarbeitet; die gerade verarbeiteten werden übersprungen.</numerusform>
        </translation>
    </message>
    <message>
        <source>Select a single file that has failed</source>
        <translation>Wählen Sie eine einzelne fehlgeschlagene Datei aus</translation>
    </message>
    <message>
        <source>[Paused]</source>
        <translation>[Pausiert]</translation>
    </message>
    <message>
        <source>[Pausing]</source>
        <translation>[Wird pausiert]</translation>
    </message>
    <message>
        <source>Filemill is still paused. No files will be processed until you resume.</source>
        <translation>Filemill ist noch pausiert. Bis zum Fortsetzen werden keine Dateien verarbeitet.</translation>
    </message>
    <message>
        <source>Paused. The current files will be finished, but no others will be processed.</source>
        <translation>Pausiert. Die aktuellen Dateien werden noch fertig verarbeitet, aber keine weiteren.</translation>
    </message>
    <message>
        <source>Processing has resumed.</source>
        <translation>Die Verarbeitung wurde fortgesetzt.</translation>
    </message>
    <message>
        <source>Filemill will pause when the current files are finished.</source>
        <translation>Filemill pausiert, sobald die aktuellen Dateien fertig sind.</translation>
    </message>
    <message numerus="yes">
        <source>Paused after the current files. %Ln file(s) (is|are) waiting.</source>
        <translation>
            <numerusform>Nach den aktuellen Dateien pausiert. %Ln Datei wartet.</numerusform>
            <numerusform>Nach den aktuellen Dateien pausiert. %Ln Dateien warten.</numerusform>
        </translation>
    </message>
    <message>
        <source>Res&amp;ume</source>
        <translation>F&amp;ortsetzen</translation>
    </message>
    <message>
        <source>Continue processing the waiting files</source>
        <translation>Die wartenden Dateien weiter verarbeiten</translation>
    </message>
    <message>
        <source>Processing is already paused</source>
        <translation>Die Verarbeitung ist bereits angehalten</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>Fortsetzen</translation>
    </message>
    <message>
        <source>There are no files, folders or paths on the clipboard.</source>
        <translation>Die Zwischenablage enthält keine Dateien, Ordner oder Pfade.</translation>
    </message>
    <message>
        <source>Your files stay in the list.</source>
        <translation>Ihre Dateien bleiben in der Liste.</translation>
    </message>
    <message>
        <source>Your files stay in the list, and processing will continue when the proxy works.</source>
        <translation>Ihre Dateien bleiben in der Liste und werden verarbeitet, sobald der Proxy funktioniert.</translation>
    </message>
    <message>
        <source>Processing will then continue. No data has been lost.</source>
        <translation>Danach wird die Verarbeitung fortgesetzt. Es sind keine Daten verloren gegangen.</translation>
    </message>
    <message>
        <source>Filemill will keep trying.</source>
        <translation>Filemill versucht es weiter.</translation>
    </message>
    <message>
        <source>Check the address and the network, and whether the server is running.</source>
        <translation>Prüfen Sie die Adresse und das Netzwerk, und ob der Server läuft.</translation>
    </message>
    <message>
        <source>{title}. {body}</source>
        <translation>{title}. {body}</translation>
    </message>
    <message>
        <source>{what}.</source>
        <translation>{what}.</translation>
    </message>
    <message>
        <source>Only {added} of {wanted} files were added. {why}</source>
        <translation>Nur {added} von {wanted} Dateien wurden hinzugefügt. {why}</translation>
    </message>
    <message>
        <source>{file} can&apos;t be found: it was moved or deleted, or its disk is not connected. Put it back, and Filemill will continue.</source>
        <translation>{file} ist nicht zu finden: Sie wurde verschoben oder gelöscht, oder ihr Datenträger ist nicht verbunden. Legen Sie sie zurück, dann macht Filemill weiter.</translation>
    </message>
    <message>
        <source>{file} can&apos;t be opened: {why}. Free some space, then try again.</source>
        <translation>{file} lässt sich nicht öffnen: {why}. Geben Sie Speicherplatz frei, und versuchen Sie es dann erneut.</translation>
    </message>
    <message>
        <source>{file} can&apos;t be opened: {why}. Close other programs, then try again.</source>
        <translation>{file} lässt sich nicht öffnen: {why}. Schließen Sie andere Programme, und versuchen Sie es dann erneut.</translation>
    </message>
    <message>
        <source>{file} can&apos;t be opened: {why}. Set FILEMILL_DATABASE to another file.</source>
        <translation>{file} lässt sich nicht öffnen: {why}. Setzen Sie FILEMILL_DATABASE auf eine andere Datei.</translation>
    </message>
    <message>
        <source>Connection</source>
        <translation>Verbindung</translation>
    </message>
    <message>
        <source>&amp;Test</source>
        <translation>&amp;Prüfen</translation>
    </message>
    <message>
        <source>C&amp;onnect</source>
        <translation>&amp;Verbinden</translation>
    </message>
    <message>
        <source>Choose a queue, or type its name, URL or ARN.</source>
        <translation>Wählen Sie eine Warteschlange aus, oder geben Sie ihren Namen, ihre URL oder ihren ARN ein.</translation>
    </message>
    <message>
        <source>Set by environment variables, which will apply again at the next start: {names}</source>
        <translation>Durch Umgebungsvariablen festgelegt, die beim nächsten Start wieder gelten: {names}</translation>
    </message>
    <message>
        <source>Type the server&apos;s address, such as 127.0.0.1:9324.</source>
        <translation>Geben Sie die Adresse des Servers ein, zum Beispiel 127.0.0.1:9324.</translation>
    </message>
    <message>
        <source>“{text}” is not the address of a server. Type it as in 127.0.0.1:9324 or https://sqs.example.org.</source>
        <translation>„{text}“ ist keine Adresse eines Servers. Geben Sie sie zum Beispiel als 127.0.0.1:9324 oder https://sqs.example.org ein.</translation>
    </message>
    <message>
        <source>Type both the access key ID and the secret access key, or neither.</source>
        <translation>Geben Sie die Zugriffsschlüssel-ID und den geheimen Zugriffsschlüssel ein, oder keins von beiden.</translation>
    </message>
    <message>
        <source>Stopped.</source>
        <translation>Abgebrochen.</translation>
    </message>
    <message>
        <source>Looking for queues…</source>
        <translation>Warteschlangen werden gesucht…</translation>
    </message>
    <message numerus="yes">
        <source>%Ln queue(s) so far…</source>
        <translation>
            <numerusform>Bisher %Ln Warteschlange…</numerusform>
            <numerusform>Bisher %Ln Warteschlangen…</numerusform>
        </translation>
    </message>
    <message>
        <source>▲ {trouble} You can still type the name.</source>
        <translation>▲ {trouble} Sie können den Namen trotzdem eingeben.</translation>
    </message>
    <message>
        <source>List Queues</source>
        <translation>Warteschlangen auflisten</translation>
    </message>
    <message>
        <source>Test: stopped</source>
        <translation>Prüfung: abgebrochen</translation>
    </message>
    <message>
        <source>Testing…</source>
        <translation>Wird geprüft…</translation>
    </message>
    <message>
        <source>S&amp;top Test</source>
        <translation>Prüfung abbrec&amp;hen</translation>
    </message>
    <message>
        <source>{region}, account {account}</source>
        <translation>{region}, Konto {account}</translation>
    </message>
    <message>
        <source>There are no queues here. You can type the name of one that you will create.</source>
        <translation>Hier gibt es keine Warteschlangen. Sie können den Namen einer Warteschlange eingeben, die Sie noch anlegen.</translation>
    </message>
    <message numerus="yes">
        <source>%Ln queue(s) found: {place}</source>
        <translation>
            <numerusform>%Ln Warteschlange gefunden: {place}</numerusform>
            <numerusform>%Ln Warteschlangen gefunden: {place}</numerusform>
        </translation>
    </message>
    <message>
        <source>Testing… {seconds} s</source>
        <translation>Wird geprüft… {seconds} s</translation>
    </message>
    <message>
        <source>Test: problems found</source>
        <translation>Prüfung: Probleme gefunden</translation>
    </message>
    <message>
        <source>Test: everything works</source>
        <translation>Prüfung: Alles funktioniert</translation>
    </message>
    <message>
        <source>Can&apos;t reach {place}</source>
        <translation>Nicht erreichbar: {place}</translation>
    </message>
    <message>
        <source>The response did not come from {place}</source>
        <translation>Die Antwort kam nicht von der erwarteten Gegenstelle ({place})</translation>
    </message>
    <message>
        <source>Its response is invalid: {why}.</source>
        <translation>Die Antwort ist ungültig: {why}.</translation>
    </message>
    <message>
        <source>The connection to {place} is not trusted</source>
        <translation>Die Verbindung ist nicht vertrauenswürdig ({place})</translation>
    </message>
    <message>
        <source>There is no {who} in the AWS configuration</source>
        <translation>In der AWS-Konfiguration fehlt: {who}</translation>
    </message>
    <message>
        <source>The AWS configuration can&apos;t be used</source>
        <translation>Die AWS-Konfiguration kann nicht verwendet werden</translation>
    </message>
    <message>
        <source>Your AWS session has expired</source>
        <translation>Ihre AWS-Sitzung ist abgelaufen</translation>
    </message>
    <message>
        <source>AWS rejected the access keys of {who}</source>
        <translation>AWS hat die Zugriffsschlüssel abgelehnt ({who})</translation>
    </message>
    <message>
        <source>They may have been deleted, deactivated or mistyped. Choose another profile, or replace the keys.</source>
        <translation>Vielleicht wurden sie gelöscht, deaktiviert oder falsch eingegeben. Wählen Sie ein anderes Profil, oder ersetzen Sie die Schlüssel.</translation>
    </message>
    <message>
        <source>This computer&apos;s clock is wrong</source>
        <translation>Die Uhr dieses Computers geht falsch</translation>
    </message>
    <message>
        <source>The queue “{name}” does not exist on {place}</source>
        <translation>Die Warteschlange „{name}“ gibt es nicht ({place})</translation>
    </message>
    <message>
        <source>It was deleted, or its name is different.</source>
        <translation>Sie wurde gelöscht oder heißt anders.</translation>
    </message>
    <message>
        <source>It was deleted, or it is not in the region or account of {who}.</source>
        <translation>Sie wurde gelöscht oder gehört zu einer anderen Region oder einem anderen Konto ({who}).</translation>
    </message>
    <message>
        <source>{place} is temporarily unavailable ({code})</source>
        <translation>Vorübergehend nicht verfügbar: {place} ({code})</translation>
    </message>
    <message>
        <source>Filemill will keep trying. No data has been lost.</source>
        <translation>Filemill versucht es weiter. Es sind keine Daten verloren gegangen.</translation>
    </message>
    <message>
        <source>Your files stay in the list, and processing will continue when the connection is restored.</source>
        <translation>Ihre Dateien bleiben in der Liste und werden weiter verarbeitet, sobald die Verbindung wiederhergestellt ist.</translation>
    </message>
    <message>
        <source>If this network requires you to sign in, open any web page to do so; otherwise, check the proxy and the queue&apos;s address.</source>
        <translation>Falls dieses Netzwerk eine Anmeldung verlangt, öffnen Sie dazu eine beliebige Webseite. Prüfen Sie andernfalls den Proxy und die Adresse der Warteschlange.</translation>
    </message>
    <message>
        <source>{place} sent a response that Filemill can&apos;t understand</source>
        <translation>Unverständliche Antwort ({place})</translation>
    </message>
    <message>
        <source>Its address is set by {source}.</source>
        <translation>Seine Adresse ist hier eingestellt: {source}.</translation>
    </message>
    <message>
        <source>Requests use the proxy {address}, set by {source}.</source>
        <translation>Anfragen laufen über den Proxy {address} (eingestellt in: {source}).</translation>
    </message>
    <message>
        <source>{first} {others}</source>
        <translation>{first} {others}</translation>
    </message>
    <message>
        <source>{place} supports only the older XML protocol of SQS</source>
        <translation>{place} unterstützt nur das ältere XML-Protokoll von SQS</translation>
    </message>
    <message>
        <source>Filemill needs the JSON protocol. Update the server, or choose a queue on another one.</source>
        <translation>Filemill braucht das JSON-Protokoll. Aktualisieren Sie den Server, oder wählen Sie eine Warteschlange auf einem anderen.</translation>
    </message>
    <message>
        <source>{place} does not support a request that Filemill needs</source>
        <translation>{place} unterstützt eine Anfrage nicht, die Filemill braucht</translation>
    </message>
    <message>
        <source>Check that its address is the address of an SQS server, or choose a queue on another one.</source>
        <translation>Prüfen Sie, ob seine Adresse die eines SQS-Servers ist, oder wählen Sie eine Warteschlange auf einem anderen.</translation>
    </message>
    <message>
        <source>{place} requires HTTPS</source>
        <translation>{place} verlangt HTTPS</translation>
    </message>
    <message>
        <source>Write https:// instead of http:// in its address.</source>
        <translation>Schreiben Sie in der Adresse https:// statt http://.</translation>
    </message>
    <message>
        <source>{place} does not use HTTPS</source>
        <translation>{place} verwendet kein HTTPS</translation>
    </message>
    <message>
        <source>Check its address and port; if the server uses HTTP, write http:// instead of https://.</source>
        <translation>Prüfen Sie Adresse und Port. Falls der Server HTTP verwendet, schreiben Sie http:// statt https://.</translation>
    </message>
    <message>
        <source>The file of trusted certificates can&apos;t be used</source>
        <translation>Die Datei mit den vertrauenswürdigen Zertifikaten ist nicht verwendbar</translation>
    </message>
    <message>
        <source>{source} names a file that does not exist or contains no certificates. Correct or remove this setting.</source>
        <translation>{source} nennt eine Datei, die es nicht gibt oder die keine Zertifikate enthält. Korrigieren oder entfernen Sie diese Einstellung.</translation>
    </message>
    <message>
        <source>Use an address such as “http://localhost:9324” or “https://…”.</source>
        <translation>Verwenden Sie eine Adresse wie „http://localhost:9324“ oder „https://…“.</translation>
    </message>
    <message>
        <source>It is set by {source}.</source>
        <translation>Sie ist hier eingestellt: {source}.</translation>
    </message>
    <message>
        <source>The address “{url}” is not valid</source>
        <translation>Die Adresse „{url}“ ist ungültig</translation>
    </message>
    <message>
        <source>If the server uses HTTPS, write https:// in its address.</source>
        <translation>Falls der Server HTTPS verwendet, schreiben Sie https:// in seine Adresse.</translation>
    </message>
    <message>
        <source>The proxy set by {source} can&apos;t be used</source>
        <translation>Der eingestellte Proxy ist nicht verwendbar ({source})</translation>
    </message>
    <message>
        <source>Its value is not the address of an HTTP proxy. Write an address such as “http://proxy.example:8080”, or remove it.</source>
        <translation>Der Wert ist keine Adresse eines HTTP-Proxys. Tragen Sie eine Adresse wie „http://proxy.example:8080“ ein, oder entfernen Sie ihn.</translation>
    </message>
    <message>
        <source>Check those in {source}: “http://name:password@proxy.example:8080”, with special characters percent-encoded.</source>
        <translation>Prüfen Sie diese Angaben ({source}): „http://name:passwort@proxy.example:8080“, Sonderzeichen prozentkodiert.</translation>
    </message>
    <message>
        <source>Check the proxy settings.</source>
        <translation>Prüfen Sie die Proxy-Einstellungen.</translation>
    </message>
    <message>
        <source>Check the proxy settings ({source}).</source>
        <translation>Prüfen Sie die Proxy-Einstellungen ({source}).</translation>
    </message>
    <message>
        <source>The proxy refused the connection to {place}</source>
        <translation>Der Proxy hat die Verbindung abgelehnt ({place})</translation>
    </message>
    <message>
        <source>Write http:// instead of https:// in {source}.</source>
        <translation>Ersetzen Sie dort https:// durch http://: {source}.</translation>
    </message>
    <message>
        <source>The proxy {address} does not use HTTPS</source>
        <translation>Der Proxy {address} verwendet kein HTTPS</translation>
    </message>
    <message>
        <source>Can&apos;t reach the proxy {address}</source>
        <translation>Der Proxy {address} ist nicht erreichbar</translation>
    </message>
    <message>
        <source>The response may be from the proxy {address}, set by {source}.</source>
        <translation>Die Antwort stammt möglicherweise vom Proxy {address} (eingestellt in: {source}).</translation>
    </message>
    <message>
        <source>A proxy on the way to {place} requires a user name and password</source>
        <translation>Ein Proxy auf dem Weg zur Warteschlange verlangt Benutzername und Passwort ({place})</translation>
    </message>
    <message>
        <source>The proxy {address} requires a user name and password</source>
        <translation>Der Proxy {address} verlangt Benutzername und Passwort</translation>
    </message>
    <message>
        <source>Nothing will be sent over it. Check the server&apos;s certificate, or set AWS_CA_BUNDLE.</source>
        <translation>Deshalb wird darüber nichts gesendet. Prüfen Sie das Zertifikat des Servers, oder setzen Sie AWS_CA_BUNDLE.</translation>
    </message>
    <message>
        <source>{place} is throttling requests.</source>
        <translation>{place} drosselt die Anfragen.</translation>
    </message>
    <message>
        <source>The queue “{name}” delivered the message to another consumer.</source>
        <translation>Die Warteschlange „{name}“ hat die Nachricht einem anderen Empfänger zugestellt.</translation>
    </message>
    <message>
        <source>The queue “{name}” rejected the request: {said}</source>
        <translation>Die Warteschlange „{name}“ hat die Anfrage abgelehnt: {said}</translation>
    </message>
    <message>
        <source>The queue “{name}” can&apos;t be used with its current configuration</source>
        <translation>Die Warteschlange „{name}“ kann mit ihrer jetzigen Konfiguration nicht verwendet werden</translation>
    </message>
    <message>
        <source>{place} can&apos;t be used with its current configuration</source>
        <translation>Kann mit der jetzigen Konfiguration nicht verwendet werden: {place}</translation>
    </message>
    <message>
        <source>AWS_PROFILE is set but empty. Set it to the name of a profile, or unset it.</source>
        <translation>AWS_PROFILE ist gesetzt, aber leer. Tragen Sie den Namen eines Profils ein, oder entfernen Sie die Variable.</translation>
    </message>
    <message>
        <source>No credentials were found for {who}</source>
        <translation>Keine Anmeldedaten gefunden ({who})</translation>
    </message>
    <message>
        <source>The access keys for {place} can&apos;t be used</source>
        <translation>Die Zugriffsschlüssel für {place} können nicht verwendet werden</translation>
    </message>
    <message>
        <source>The credentials of {who} can&apos;t be used</source>
        <translation>Die Anmeldedaten können nicht verwendet werden ({who})</translation>
    </message>
    <message>
        <source>An MFA code is required for {who}</source>
        <translation>MFA-Code erforderlich ({who})</translation>
    </message>
    <message>
        <source>Filemill can&apos;t prompt for the code. Choose a profile that does not require one, such as a profile that uses SSO.</source>
        <translation>Filemill kann ihn nicht abfragen. Wählen Sie ein Profil, das keinen Code benötigt, zum Beispiel eines mit SSO.</translation>
    </message>
    <message>
        <source>Choose another profile, or create this one with “aws configure”.</source>
        <translation>Wählen Sie ein anderes Profil, oder erstellen Sie dieses mit „aws configure“.</translation>
    </message>
    <message>
        <source>Use the access key ID and the secret access key that belong to this server.</source>
        <translation>Verwenden Sie die Zugriffsschlüssel-ID und den geheimen Zugriffsschlüssel dieses Servers.</translation>
    </message>
    <message>
        <source>Another program responds there. Check the address and the port.</source>
        <translation>Dort antwortet ein anderes Programm. Prüfen Sie die Adresse und den Port.</translation>
    </message>
    <message>
        <source>Choose a profile, or create one with “aws configure”.</source>
        <translation>Wählen Sie ein Profil, oder erstellen Sie eines mit „aws configure“.</translation>
    </message>
    <message>
        <source>Sign in again with {who}, for example with “{command}”.</source>
        <translation>Melden Sie sich erneut an ({who}), zum Beispiel mit „{command}“.</translation>
    </message>
    <message>
        <source>Sign in again with {who}.</source>
        <translation>Melden Sie sich erneut an ({who}).</translation>
    </message>
    <message>
        <source>It is about {minutes} min slow, so AWS is rejecting requests. Set the date and time.</source>
        <translation>Sie geht etwa {minutes} min nach, deshalb lehnt AWS die Anfragen ab. Stellen Sie Datum und Uhrzeit richtig ein.</translation>
    </message>
    <message>
        <source>It is about {minutes} min fast, so AWS is rejecting requests. Set the date and time.</source>
        <translation>Sie geht etwa {minutes} min vor, deshalb lehnt AWS die Anfragen ab. Stellen Sie Datum und Uhrzeit richtig ein.</translation>
    </message>
    <message>
        <source>Because of this, AWS is rejecting requests. Set the date and time.</source>
        <translation>Deshalb lehnt AWS die Anfragen ab. Stellen Sie Datum und Uhrzeit richtig ein.</translation>
    </message>
    <message>
        <source>No region is set</source>
        <translation>Keine Region festgelegt</translation>
    </message>
    <message>
        <source>Each queue belongs to one region. Choose its region, or set AWS_REGION.</source>
        <translation>Jede Warteschlange gehört zu einer Region. Wählen Sie deren Region, oder setzen Sie AWS_REGION.</translation>
    </message>
    <message>
        <source>The region “{region}” does not exist</source>
        <translation>Die Region „{region}“ gibt es nicht</translation>
    </message>
    <message>
        <source>The region “{region}” is not the region of the queue</source>
        <translation>Die Region „{region}“ ist nicht die der Warteschlange</translation>
    </message>
    <message>
        <source>The requests are signed for the wrong region</source>
        <translation>Die Anfragen sind für die falsche Region signiert</translation>
    </message>
    <message>
        <source>No permission to receive messages from “{name}”</source>
        <translation>Keine Berechtigung, Nachrichten aus „{name}“ zu empfangen</translation>
    </message>
    <message>
        <source>No permission to send messages to “{name}”</source>
        <translation>Keine Berechtigung, Nachrichten an „{name}“ zu senden</translation>
    </message>
    <message>
        <source>No permission to delete messages from “{name}”</source>
        <translation>Keine Berechtigung, Nachrichten aus „{name}“ zu löschen</translation>
    </message>
    <message>
        <source>No permission for {action} on “{name}”</source>
        <translation>Keine Berechtigung für {action} auf „{name}“</translation>
    </message>
    <message>
        <source>You don&apos;t have permission to use its encryption key ({action}). Ask the queue&apos;s administrator to grant it.</source>
        <translation>Sie haben keine Berechtigung für den Verschlüsselungsschlüssel ({action}). Bitten Sie den Administrator der Warteschlange darum.</translation>
    </message>
    <message>
        <source>You are signed in, but the queue&apos;s policy or your account does not allow {action}. Ask the queue&apos;s administrator to allow it.</source>
        <translation>Sie sind angemeldet, aber die Richtlinie der Warteschlange oder Ihr Konto erlaubt {action} nicht. Bitten Sie den Administrator der Warteschlange, dies zu erlauben.</translation>
    </message>
    <message>
        <source>no code</source>
        <translation>kein Code</translation>
    </message>
    <message>
        <source>profile “{name}”</source>
        <translation>Profil „{name}“</translation>
    </message>
    <message>
        <source>the default profile</source>
        <translation>Standardprofil</translation>
    </message>
    <message>
        <source>the queue server at {url}</source>
        <translation>der Warteschlangen-Server {url}</translation>
    </message>
    <message>
        <source>The queue server at {url}</source>
        <translation>Der Warteschlangen-Server {url}</translation>
    </message>
    <message>
        <source>{place} rejected the access keys of {who}</source>
        <translation>{place} hat die Zugangsschlüssel abgelehnt ({who})</translation>
    </message>
    <message>
        <source>Choose another profile, or type the server&apos;s own keys.</source>
        <translation>Wählen Sie ein anderes Profil, oder geben Sie die Schlüssel des Servers ein.</translation>
    </message>
    <message>
        <source>{place} rejected the access keys</source>
        <translation>{place} hat die Zugangsschlüssel abgelehnt</translation>
    </message>
    <message>
        <source>Each queue belongs to one region. Choose its region, or {remedy}.</source>
        <translation>Jede Warteschlange gehört zu einer Region. Wählen Sie deren Region, oder {remedy}.</translation>
    </message>
    <message>
        <source>correct {setting}</source>
        <translation>korrigieren Sie {setting}</translation>
    </message>
    <message>
        <source>set AWS_REGION</source>
        <translation>setzen Sie AWS_REGION</translation>
    </message>
    <message>
        <source>The server expects “{region}”. Choose this region, or {remedy}.</source>
        <translation>Der Server erwartet „{region}“. Wählen Sie diese Region, oder {remedy}.</translation>
    </message>
    <message>
        <source>Choose the region of the queue and its server, or {remedy}.</source>
        <translation>Wählen Sie die Region der Warteschlange und ihres Servers, oder {remedy}.</translation>
    </message>
    <message>
        <source>Amazon SQS in {region}</source>
        <translation>Amazon SQS in {region}</translation>
    </message>
    <message>
        <source>Amazon SQS</source>
        <translation>Amazon SQS</translation>
    </message>
    <message>
        <source>environment variables</source>
        <translation>Umgebungsvariablen</translation>
    </message>
    <message>
        <source>credentials file</source>
        <translation>Anmeldedatei</translation>
    </message>
    <message>
        <source>configuration file</source>
        <translation>Konfigurationsdatei</translation>
    </message>
    <message>
        <source>single sign-on</source>
        <translation>Single Sign-on</translation>
    </message>
    <message>
        <source>access keys</source>
        <translation>Zugriffsschlüssel</translation>
    </message>
    <message>
        <source>SSO</source>
        <translation>SSO</translation>
    </message>
    <message>
        <source>console sign-in</source>
        <translation>Konsolenanmeldung</translation>
    </message>
    <message>
        <source>assumes a role</source>
        <translation>übernimmt eine Rolle</translation>
    </message>
    <message>
        <source>credential process</source>
        <translation>Programm für Anmeldedaten</translation>
    </message>
    <message>
        <source>no credentials</source>
        <translation>keine Anmeldedaten</translation>
    </message>
    <message>
        <source>assumed role</source>
        <translation>übernommene Rolle</translation>
    </message>
    <message>
        <source>web identity</source>
        <translation>Web-Identität</translation>
    </message>
    <message>
        <source>a program</source>
        <translation>ein Programm</translation>
    </message>
    <message>
        <source>this computer&apos;s role</source>
        <translation>Rolle dieses Computers</translation>
    </message>
    <message>
        <source>this container&apos;s role</source>
        <translation>Rolle dieses Containers</translation>
    </message>
    <message>
        <source>typed keys</source>
        <translation>eingegebene Schlüssel</translation>
    </message>
    <message>
        <source>the system&apos;s keyring</source>
        <translation>Schlüsselbund des Systems</translation>
    </message>
    <message>
        <source>The system&apos;s keyring</source>
        <translation>Der Schlüsselbund des Systems</translation>
    </message>
    <message>
        <source>The program “{name}” of {profile}</source>
        <translation>Das Programm „{name}“ ({profile})</translation>
    </message>
    <message>
        <source>“{name}” is not a time with a time zone</source>
        <translation>„{name}“ ist keine Zeitangabe mit Zeitzone</translation>
    </message>
    <message>
        <source>the output is not JSON</source>
        <translation>die Ausgabe ist kein JSON</translation>
    </message>
    <message>
        <source>the output is not a JSON object</source>
        <translation>die Ausgabe ist kein JSON-Objekt</translation>
    </message>
    <message>
        <source>“{name}” is not {value}</source>
        <translation>„{name}“ ist nicht {value}</translation>
    </message>
    <message>
        <source>“{name}” is missing</source>
        <translation>„{name}“ fehlt</translation>
    </message>
    <message>
        <source>{program} did not print credentials: {reason}. Run it in a terminal to see what it prints.</source>
        <translation>{program} hat keine Anmeldedaten ausgegeben: {reason}. Führen Sie es in einem Terminal aus, um die Ausgabe zu sehen.</translation>
    </message>
    <message>
        <source>program “{name}” of {profile}</source>
        <translation>Programm „{name}“ ({profile})</translation>
    </message>
    <message>
        <source>AWS configuration</source>
        <translation>AWS-Konfiguration</translation>
    </message>
    <message>
        <source>AWS did not issue credentials ({action}): {said}</source>
        <translation>AWS hat keine Anmeldedaten ausgestellt ({action}): {said}</translation>
    </message>
    <message>
        <source>They have expired, and no new ones were provided (source: {source}).</source>
        <translation>Sie sind abgelaufen, und es wurden keine neuen bereitgestellt (Quelle: {source}).</translation>
    </message>
    <message>
        <source>They can&apos;t be read (source: {source}): {reason}. Correct the AWS configuration, or choose another profile.</source>
        <translation>Sie können nicht gelesen werden (Quelle: {source}): {reason}. Korrigieren Sie die AWS-Konfiguration, oder wählen Sie ein anderes Profil.</translation>
    </message>
    <message>
        <source>contains a space or a tab</source>
        <translation>enthält ein Leerzeichen oder einen Tabulator</translation>
    </message>
    <message>
        <source>The access key ID {problem} (source: {source}).</source>
        <translation>Die Zugriffsschlüssel-ID {problem} (Quelle: {source}).</translation>
    </message>
    <message>
        <source>The service that provides them can&apos;t be reached: {reason}.</source>
        <translation>Der Dienst, der sie bereitstellt, ist nicht erreichbar: {reason}.</translation>
    </message>
    <message>
        <source>The secret access key {problem} (source: {source}).</source>
        <translation>Der geheime Zugriffsschlüssel {problem} (Quelle: {source}).</translation>
    </message>
    <message>
        <source>The session token {problem} (source: {source}).</source>
        <translation>Das Sitzungstoken {problem} (Quelle: {source}).</translation>
    </message>
    <message>
        <source>{what} Correct it, or choose another profile.</source>
        <translation>{what} Korrigieren Sie diesen Wert, oder wählen Sie ein anderes Profil.</translation>
    </message>
    <message>
        <source>is not text</source>
        <translation>ist kein Text</translation>
    </message>
    <message>
        <source>is empty</source>
        <translation>ist leer</translation>
    </message>
    <message>
        <source>contains a line break</source>
        <translation>enthält einen Zeilenumbruch</translation>
    </message>
    <message>
        <source>contains characters that are not ASCII</source>
        <translation>enthält Zeichen, die nicht zu ASCII gehören</translation>
    </message>
    <message>
        <source>contains control characters</source>
        <translation>enthält Steuerzeichen</translation>
    </message>
    <message>
        <source>Can send messages</source>
        <translation>Darf Nachrichten senden</translation>
    </message>
    <message>
        <source>Can receive messages</source>
        <translation>Darf Nachrichten empfangen</translation>
    </message>
    <message>
        <source>The local queue responded in {ms} ms</source>
        <translation>Die lokale Warteschlange hat in {ms} ms geantwortet</translation>
    </message>
    <message>
        <source>No account and no permissions are needed</source>
        <translation>Kein Konto und keine Berechtigungen nötig</translation>
    </message>
    <message>
        <source>AWS did not return your identity; the queue may still work</source>
        <translation>AWS hat Ihre Identität nicht mitgeteilt; die Warteschlange funktioniert vielleicht trotzdem</translation>
    </message>
    <message>
        <source>{server} responded in {ms} ms</source>
        <translation>{server} hat in {ms} ms geantwortet</translation>
    </message>
    <message>
        <source>“{name}” exists, but you don&apos;t have permission to read its attributes (GetQueueAttributes)</source>
        <translation>„{name}“ ist vorhanden, aber Sie haben keine Berechtigung, die Attribute zu lesen (GetQueueAttributes)</translation>
    </message>
    <message>
        <source>You are signed in to account {mine}, but the queue is in account {theirs}. You can use it if its owner has granted you access.</source>
        <translation>Sie sind im Konto {mine} angemeldet, aber die Warteschlange gehört zum Konto {theirs}. Sie können sie verwenden, wenn deren Besitzer Ihnen Zugriff gewährt hat.</translation>
    </message>
    <message>
        <source>It has no dead-letter queue: messages that can&apos;t be processed are received repeatedly</source>
        <translation>Sie hat keine Dead-Letter-Warteschlange: Nachrichten, die nicht verarbeitet werden können, werden immer wieder empfangen</translation>
    </message>
    <message>
        <source>Credentials found: {source}, profile “{name}”</source>
        <translation>Anmeldedaten gefunden: {source}, Profil „{name}“</translation>
    </message>
    <message>
        <source>Can extend visibility timeouts</source>
        <translation>Darf Sichtbarkeits-Timeouts verlängern</translation>
    </message>
    <message>
        <source>Can delete messages</source>
        <translation>Darf Nachrichten löschen</translation>
    </message>
    <message>
        <source>No access keys are set; that is enough for a server that checks none</source>
        <translation>Es sind keine Zugriffsschlüssel angegeben; das genügt für einen Server, der keine prüft</translation>
    </message>
    <message>
        <source>Credentials found: {source}</source>
        <translation>Anmeldedaten gefunden: {source}</translation>
    </message>
    <message>
        <source>Signed in as {arn} (account {account})</source>
        <translation>Angemeldet als {arn} (Konto {account})</translation>
    </message>
    <message>
        <source>“{name}” is a FIFO queue; messages available: about {count}</source>
        <translation>„{name}“ ist eine FIFO-Warteschlange; verfügbare Nachrichten: etwa {count}</translation>
    </message>
    <message>
        <source>“{name}” is a standard queue; messages available: about {count}</source>
        <translation>„{name}“ ist eine Standard-Warteschlange; verfügbare Nachrichten: etwa {count}</translation>
    </message>
    <message>
        <source>This queue belongs to another account</source>
        <translation>Diese Warteschlange gehört einem anderen Konto</translation>
    </message>
    <message>
        <source>Its redrive policy can&apos;t be read, so its dead-letter queue is not known. Correct the policy.</source>
        <translation>Ihre Redrive-Richtlinie ist nicht lesbar, daher ist ihre Dead-Letter-Warteschlange nicht bekannt. Korrigieren Sie die Richtlinie.</translation>
    </message>
    <message>
        <source>The queue is its own dead-letter queue, so messages that can&apos;t be processed are received repeatedly. Choose another one in its redrive policy.</source>
        <translation>Die Warteschlange ist ihre eigene Dead-Letter-Warteschlange, daher werden Nachrichten, die nicht verarbeitet werden können, immer wieder empfangen. Wählen Sie in ihrer Redrive-Richtlinie eine andere.</translation>
    </message>
    <message>
        <source>The dead-letter queue {arn} is not in the region and account of the queue. Choose one that is in its redrive policy. Until then, messages that can&apos;t be processed are received repeatedly.</source>
        <translation>Die Dead-Letter-Warteschlange {arn} ist nicht in derselben Region und demselben Konto wie die Warteschlange. Wählen Sie in deren Redrive-Richtlinie eine, die es ist. Bis dahin werden Nachrichten, die nicht verarbeitet werden können, immer wieder empfangen.</translation>
    </message>
    <message>
        <source>The dead-letter queue “{name}” does not exist: create it, or remove it from the queue&apos;s redrive policy. Until then, messages that can&apos;t be processed are received repeatedly.</source>
        <translation>Die Dead-Letter-Warteschlange „{name}“ existiert nicht: Legen Sie sie an, oder entfernen Sie sie aus der Redrive-Richtlinie der Warteschlange. Bis dahin werden Nachrichten, die nicht verarbeitet werden können, immer wieder empfangen.</translation>
    </message>
    <message>
        <source>Dead-letter queue: “{name}”, after {count} deliveries</source>
        <translation>Dead-Letter-Warteschlange: „{name}“, nach {count} Zustellungen</translation>
    </message>
    <message>
        <source>The AWS configuration can&apos;t be read: {reason}</source>
        <translation>Die AWS-Konfiguration kann nicht gelesen werden: {reason}</translation>
    </message>
    <message>
        <source>Its source profile “{name}” does not exist.</source>
        <translation>Sein Quellprofil „{name}“ gibt es nicht.</translation>
    </message>
    <message>
        <source>It has both source_profile and credential_source; only one is allowed.</source>
        <translation>Es enthält source_profile und credential_source; nur eines davon ist erlaubt.</translation>
    </message>
    <message>
        <source>Its credential_source “{name}” is not a valid value.</source>
        <translation>Der Wert „{name}“ von credential_source ist ungültig.</translation>
    </message>
    <message>
        <source>It assumes a role but does not specify the credentials for this (source_profile).</source>
        <translation>Es übernimmt eine Rolle, gibt aber nicht an, mit welchen Anmeldedaten (source_profile).</translation>
    </message>
    <message>
        <source>Its source profiles form a loop: {names}.</source>
        <translation>Seine Quellprofile verweisen im Kreis aufeinander: {names}.</translation>
    </message>
    <message>
        <source>Its source profile “{name}” can&apos;t be used: {reason}</source>
        <translation>Sein Quellprofil „{name}“ kann nicht verwendet werden: {reason}</translation>
    </message>
    <message>
        <source>Its SSO session “{name}” does not exist.</source>
        <translation>Seine SSO-Sitzung „{name}“ gibt es nicht.</translation>
    </message>
    <message>
        <source>It is missing {names}.</source>
        <translation>Es fehlt: {names}.</translation>
    </message>
    <message>
        <source>Please allow {action} on {resource} for {principal}. Filemill needs this permission to use the queue. Response from AWS: {said} This policy grants the permission:</source>
        <translation>Bitte erlauben Sie {action} auf {resource} für {principal}. Filemill benötigt diese Berechtigung, um die Warteschlange zu verwenden. Meldung von AWS: {said} Diese Richtlinie erteilt die Berechtigung:</translation>
    </message>
    <message>
        <source>my identity</source>
        <translation>meine Identität</translation>
    </message>
    <message>
        <source>No files in this list have failed.</source>
        <translation>Keine Datei in dieser Liste ist fehlgeschlagen.</translation>
    </message>
    <message>
        <source>longer than any Filemill message</source>
        <translation>länger als jede Nachricht von Filemill</translation>
    </message>
    <message>
        <source>not JSON</source>
        <translation>kein JSON</translation>
    </message>
    <message>
        <source>not a Filemill message</source>
        <translation>keine Nachricht von Filemill</translation>
    </message>
    <message>
        <source>from a newer version of Filemill</source>
        <translation>von einer neueren Version von Filemill</translation>
    </message>
    <message>
        <source>a file in another list</source>
        <translation>eine Datei aus einer anderen Liste</translation>
    </message>
    <message>
        <source>Result: {field}</source>
        <translation>Ergebnis: {field}</translation>
    </message>
    <message>
        <source>name</source>
        <comment>before a colon in the filter box</comment>
        <translation>name</translation>
    </message>
    <message>
        <source>folder</source>
        <comment>before a colon in the filter box</comment>
        <translation>ordner</translation>
    </message>
    <message>
        <source>path</source>
        <comment>before a colon in the filter box</comment>
        <translation>pfad</translation>
    </message>
    <message>
        <source>type</source>
        <comment>before a colon in the filter box</comment>
        <translation>typ</translation>
    </message>
    <message>
        <source>status</source>
        <comment>before a colon in the filter box</comment>
        <translation>status</translation>
    </message>
    <message>
        <source>batch</source>
        <comment>before a colon in the filter box</comment>
        <translation>stapel</translation>
    </message>
    <message>
        <source>worker</source>
        <comment>before a colon in the filter box</comment>
        <translation>computer</translation>
    </message>
    <message>
        <source>processor</source>
        <comment>before a colon in the filter box</comment>
        <translation>verarbeitung</translation>
    </message>
    <message>
        <source>size</source>
        <comment>before a colon in the filter box</comment>
        <translation>größe</translation>
    </message>
    <message>
        <source>lines</source>
        <comment>before a colon in the filter box</comment>
        <translation>zeilen</translation>
    </message>
    <message>
        <source>attempts</source>
        <comment>before a colon in the filter box</comment>
        <translation>versuche</translation>
    </message>
    <message>
        <source>took</source>
        <comment>before a colon in the filter box</comment>
        <translation>dauer</translation>
    </message>
    <message>
        <source>added</source>
        <comment>before a colon in the filter box</comment>
        <translation>hinzugefügt</translation>
    </message>
    <message>
        <source>finished</source>
        <comment>before a colon in the filter box</comment>
        <translation>beendet</translation>
    </message>
    <message>
        <source>today</source>
        <comment>in the filter box</comment>
        <translation>heute</translation>
    </message>
    <message>
        <source>yesterday</source>
        <comment>in the filter box</comment>
        <translation>gestern</translation>
    </message>
    <message>
        <source>last</source>
        <comment>before “2 hours” in the filter box; all forms, separated by spaces</comment>
        <translation>letzte letzten letzter</translation>
    </message>
    <message>
        <source>s sec second seconds</source>
        <comment>a unit in the filter box; all forms, separated by spaces</comment>
        <translation>s sek sekunde sekunden</translation>
    </message>
    <message>
        <source>m min minute minutes</source>
        <comment>a unit in the filter box; all forms, separated by spaces</comment>
        <translation>m min minute minuten</translation>
    </message>
    <message>
        <source>h hr hour hours</source>
        <comment>a unit in the filter box; all forms, separated by spaces</comment>
        <translation>h std stunde stunden</translation>
    </message>
    <message>
        <source>d day days</source>
        <comment>a unit in the filter box; all forms, separated by spaces</comment>
        <translation>t tag tage tagen</translation>
    </message>
    <message>
        <source>w week weeks</source>
        <comment>a unit in the filter box; all forms, separated by spaces</comment>
        <translation>w woche wochen</translation>
    </message>
    <message>
        <source>yes true</source>
        <comment>a value in the filter box; all forms, separated by spaces</comment>
        <translation>ja wahr</translation>
    </message>
    <message>
        <source>no false</source>
        <comment>a value in the filter box; all forms, separated by spaces</comment>
        <translation>nein falsch</translation>
    </message>
    <message>
        <source>reason</source>
        <comment>before a colon in the filter box</comment>
        <translation>grund</translation>
    </message>
    <message>
        <source>Try Now</source>
        <translation>Jetzt versuchen</translation>
    </message>
    <message>
        <source>Restart</source>
        <translation>Neu starten</translation>
    </message>
    <message>
        <source>Process Here</source>
        <translation>Hier verarbeiten</translation>
    </message>
    <message>
        <source>Looking for “{name}” in the other regions…</source>
        <translation>„{name}“ wird in den anderen Regionen gesucht…</translation>
    </message>
    <message>
        <source>None of the other regions that responded has a queue named “{name}” for this profile. It may be in another account.</source>
        <translation>In keiner der anderen Regionen, die geantwortet haben, gibt es für dieses Profil eine Warteschlange „{name}“. Vielleicht gehört sie zu einem anderen Konto.</translation>
    </message>
    <message>
        <source>Use {region}</source>
        <translation>{region} verwenden</translation>
    </message>
    <message>
        <source>“{name}” was found in {regions}.</source>
        <translation>„{name}“ wurde gefunden in {regions}.</translation>
    </message>
    <message>
        <source>A web page will open. The waiting files will be processed as soon as you have signed in.</source>
        <translation>Eine Webseite wird geöffnet. Sobald Sie angemeldet sind, werden die wartenden Dateien verarbeitet.</translation>
    </message>
    <message>
        <source>Signing in: {command}</source>
        <translation>Anmeldung läuft: {command}</translation>
    </message>
    <message>
        <source>Signed in. The waiting files will now be processed.</source>
        <translation>Angemeldet. Die wartenden Dateien werden jetzt verarbeitet.</translation>
    </message>
    <message>
        <source>The command exited with code {code}.</source>
        <translation>Der Befehl wurde mit dem Code {code} beendet.</translation>
    </message>
    <message>
        <source>The sign-in failed</source>
        <translation>Die Anmeldung ist fehlgeschlagen</translation>
    </message>
    <message>
        <source>The sign-in could not be started</source>
        <translation>Die Anmeldung konnte nicht gestartet werden</translation>
    </message>
    <message>
        <source>The queue “{name}” is in the account {found}, but the waiting files were added for the queue in the account {wanted}. Choose the profile of that account.</source>
        <translation>Die Warteschlange „{name}“ gehört zum Konto {found}, die wartenden Dateien wurden aber für die Warteschlange im Konto {wanted} hinzugefügt. Wählen Sie das Profil dieses Kontos.</translation>
    </message>
    <message>
        <source>The connection to the queue has been closed.</source>
        <translation>Die Verbindung zur Warteschlange wurde getrennt.</translation>
    </message>
    <message>
        <source>The local queue can&apos;t be used</source>
        <translation>Die lokale Warteschlange kann nicht verwendet werden</translation>
    </message>
    <message>
        <source>It will be retried automatically; you don&apos;t need to do anything.</source>
        <translation>Filemill versucht es automatisch erneut; Sie müssen nichts tun.</translation>
    </message>
    <message>
        <source>The file is available again. Choose Retry to process it.</source>
        <translation>Die Datei ist wieder vorhanden. Wählen Sie „Erneut versuchen“, um sie zu verarbeiten.</translation>
    </message>
    <message>
        <source>The folder {folder} does not exist: it was moved, renamed or deleted after the file was added ({time}), or its drive or network share is not connected. Connect it and retry, or locate the file.</source>
        <translation>Den Ordner {folder} gibt es nicht: Er wurde verschoben, umbenannt oder gelöscht, nachdem die Datei hinzugefügt wurde ({time}), oder sein Laufwerk oder seine Netzwerkfreigabe ist nicht verbunden. Stellen Sie die Verbindung her und versuchen Sie es erneut, oder suchen Sie die Datei.</translation>
    </message>
    <message>
        <source>It was moved, renamed or deleted after it was added ({time}). Locate it, put it back and retry, or remove it from the list.</source>
        <translation>Sie wurde nach dem Hinzufügen ({time}) verschoben, umbenannt oder gelöscht. Suchen Sie die Datei, legen Sie sie zurück und versuchen Sie es erneut, oder entfernen Sie sie aus der Liste.</translation>
    </message>
    <message>
        <source>It can be read now. Choose Retry to process it.</source>
        <translation>Sie kann jetzt gelesen werden. Wählen Sie „Erneut versuchen“, um sie zu verarbeiten.</translation>
    </message>
    <message>
        <source>It belongs to {owner}. Allow your account to read the file, then retry. The file was not changed.</source>
        <translation>Sie gehört {owner}. Geben Sie Ihrem Benutzerkonto Leserechte für die Datei, und versuchen Sie es erneut. Die Datei wurde nicht verändert.</translation>
    </message>
    <message>
        <source>Allow your account to read the file, then retry. The file was not changed.</source>
        <translation>Geben Sie Ihrem Benutzerkonto Leserechte für die Datei, und versuchen Sie es erneut. Die Datei wurde nicht verändert.</translation>
    </message>
    <message>
        <source>Another program changed it during each of three attempts. The results were discarded because they could be wrong. Retry when the other program has finished.</source>
        <translation>Ein anderes Programm hat sie bei jedem der drei Versuche geändert. Die Ergebnisse wurden verworfen, weil sie falsch sein könnten. Versuchen Sie es erneut, wenn das andere Programm fertig ist.</translation>
    </message>
    <message>
        <source>Only regular files can be processed, so it was not opened. Removing it from the list does not delete it.</source>
        <translation>Nur reguläre Dateien können verarbeitet werden, deshalb wurde sie nicht geöffnet. Wenn Sie sie aus der Liste entfernen, wird sie nicht gelöscht.</translation>
    </message>
    <message>
        <source>Check the disk, or the connection to it, then retry. The file was not changed.</source>
        <translation>Prüfen Sie den Datenträger oder die Verbindung dorthin, und versuchen Sie es erneut. Die Datei wurde nicht verändert.</translation>
    </message>
    <message>
        <source>This is an error in Filemill, not in your file. The file was skipped; the other files are not affected. The report does not include the content of your files; you can review it before it is saved.</source>
        <translation>Das ist ein Fehler in Filemill, nicht in Ihrer Datei. Die Datei wurde übersprungen; die anderen Dateien sind nicht betroffen. Der Bericht enthält keine Inhalte Ihrer Dateien; Sie können ihn prüfen, bevor er gespeichert wird.</translation>
    </message>
    <message>
        <source>The file was not changed. Check the connection and the queue, then retry.</source>
        <translation>Die Datei wurde nicht verändert. Prüfen Sie die Verbindung und die Warteschlange, und versuchen Sie es erneut.</translation>
    </message>
    <message>
        <source>The queue delivered the file&apos;s message several times without a result, then moved it to the dead-letter queue. The file was not changed. Retry sends a new message.</source>
        <translation>Die Warteschlange hat die Nachricht der Datei mehrmals ohne Ergebnis zugestellt und dann in die Dead-Letter-Warteschlange verschoben. Die Datei wurde nicht verändert. „Erneut versuchen“ sendet eine neue Nachricht.</translation>
    </message>
    <message>
        <source>Last attempt: {result}</source>
        <translation>Letzter Versuch: {result}</translation>
    </message>
    <message numerus="yes">
        <source>Gave up after %Ln deliver(y|ies)</source>
        <translation>
            <numerusform>Nach %Ln Zustellung aufgegeben</numerusform>
            <numerusform>Nach %Ln Zustellungen aufgegeben</numerusform>
        </translation>
    </message>
    <message>
        <source>Attempt</source>
        <translation>Versuch</translation>
    </message>
    <message>
        <source>Started</source>
        <translation>Begonnen</translation>
    </message>
    <message>
        <source>Computer</source>
        <translation>Computer</translation>
    </message>
    <message>
        <source>Result</source>
        <translation>Ergebnis</translation>
    </message>
    <message>
        <source>Copy all attempts to paste into a spreadsheet</source>
        <translation>Alle Versuche für eine Tabellenkalkulation kopieren</translation>
    </message>
    <message>
        <source>This file has not been processed yet.</source>
        <translation>Diese Datei wurde noch nicht verarbeitet.</translation>
    </message>
    <message>
        <source>Locate “{name}”</source>
        <translation>„{name}“ suchen</translation>
    </message>
    <message>
        <source>Process</source>
        <translation>Verarbeiten</translation>
    </message>
    <message>
        <source>Preview of the picture</source>
        <translation>Vorschau des Bildes</translation>
    </message>
    <message>
        <source>First lines of the file</source>
        <translation>Erste Zeilen der Datei</translation>
    </message>
    <message>
        <source>Show this field as a column</source>
        <translation>Dieses Feld als Spalte zeigen</translation>
    </message>
    <message>
        <source>Copy these entries in full</source>
        <translation>Diese Einträge vollständig kopieren</translation>
    </message>
    <message>
        <source>Log entries about this file</source>
        <translation>Protokolleinträge zu dieser Datei</translation>
    </message>
    <message>
        <source>Reading the log…</source>
        <translation>Das Protokoll wird gelesen…</translation>
    </message>
    <message>
        <source>The log has no entries for this file. Only problems and your own actions are logged. See Attempts for what happened.</source>
        <translation>Das Protokoll enthält keine Einträge zu dieser Datei. Es werden nur Probleme und Ihre eigenen Aktionen protokolliert. Unter „Versuche“ sehen Sie, was passiert ist.</translation>
    </message>
    <message>
        <source>Copy all details of the message</source>
        <translation>Alle Details der Nachricht kopieren</translation>
    </message>
    <message>
        <source>Files and details</source>
        <translation>Dateien und Details</translation>
    </message>
    <message>
        <source>Path</source>
        <translation>Pfad</translation>
    </message>
    <message>
        <source>No file selected</source>
        <translation>Keine Datei ausgewählt</translation>
    </message>
    <message>
        <source>Select a file to see what happened to it.</source>
        <translation>Wählen Sie eine Datei aus, um zu sehen, was mit ihr passiert ist.</translation>
    </message>
    <message>
        <source>version {number}</source>
        <translation>Version {number}</translation>
    </message>
    <message>
        <source>Processed as</source>
        <translation>Verarbeitet als</translation>
    </message>
    <message>
        <source>The file was read completely, but it is not what it should be. It was not changed.</source>
        <translation>Die Datei wurde vollständig gelesen, ist aber nicht so, wie sie sein sollte. Sie wurde nicht verändert.</translation>
    </message>
    <message>
        <source>The content is not what the list of checksums says: the file is damaged, or it was changed.</source>
        <translation>Der Inhalt entspricht nicht der Prüfsummenliste: Die Datei ist beschädigt oder wurde geändert.</translation>
    </message>
    <message>
        <source>The limits keep one file from stopping all others. Retry As… can set other options.</source>
        <translation>Die Grenzen verhindern, dass eine Datei alle anderen aufhält. Mit „Wiederholen als…“ lassen sich andere Optionen einstellen.</translation>
    </message>
    <message>
        <source>The file was not opened. Set up what is missing and retry, or choose something else with Retry As….</source>
        <translation>Die Datei wurde nicht geöffnet. Richten Sie ein, was fehlt, und wiederholen Sie, oder wählen Sie mit „Wiederholen als…“ etwas anderes.</translation>
    </message>
    <message>
        <source>The command has ended with an error. What it has written is in the log of this file.</source>
        <translation>Der Befehl endete mit einem Fehler. Seine Ausgabe steht im Protokoll dieser Datei.</translation>
    </message>
    <message>
        <source>The error is in the plug-in, or the file is not what it expects. The log of this file says more.</source>
        <translation>Der Fehler liegt im Plug-in, oder die Datei ist nicht das, was es erwartet. Das Protokoll dieser Datei enthält mehr dazu.</translation>
    </message>
    <message>
        <source>Filemill exited unexpectedly several times while it was processing this file. The other files are not affected. You can retry this file; if it happens again, please send a report. The report does not include the content of your files.</source>
        <translation>Filemill wurde mehrmals unerwartet beendet, während es diese Datei verarbeitete. Die anderen Dateien sind nicht betroffen. Sie können es erneut versuchen; falls es wieder passiert, senden Sie bitte einen Bericht. Er enthält keine Inhalte Ihrer Dateien.</translation>
    </message>
    <message>
        <source>It will be processed when Filemill is connected to that queue again. Choose Retry to move it to the current queue.</source>
        <translation>Sie wird verarbeitet, wenn Filemill wieder mit dieser Warteschlange verbunden ist. Wählen Sie „Erneut versuchen“, um sie in die aktuelle Warteschlange zu verschieben.</translation>
    </message>
    <message numerus="yes">
        <source>%Ln file(s) selected</source>
        <translation>
            <numerusform>%Ln Datei ausgewählt</numerusform>
            <numerusform>%Ln Dateien ausgewählt</numerusform>
        </translation>
    </message>
    <message>
        <source>Calculating…</source>
        <translation>Wird berechnet…</translation>
    </message>
    <message>
        <source>{number} {status}</source>
        <comment>12 processed</comment>
        <translation>{number} {status}</translation>
    </message>
    <message>
        <source>{size} ({bytes})</source>
        <translation>{size} ({bytes})</translation>
    </message>
    <message>
        <source>Not sent yet</source>
        <translation>Noch nicht gesendet</translation>
    </message>
    <message>
        <source>Sent</source>
        <translation>Gesendet</translation>
    </message>
    <message>
        <source>Received</source>
        <translation>Empfangen</translation>
    </message>
    <message numerus="yes">
        <source>%Ln time(s)</source>
        <translation>
            <numerusform>%Ln-mal</numerusform>
            <numerusform>%Ln-mal</numerusform>
        </translation>
    </message>
    <message>
        <source>Submission</source>
        <translation>Durchgang</translation>
    </message>
    <message>
        <source>{number}, added {time}</source>
        <translation>{number}, hinzugefügt {time}</translation>
    </message>
    <message>
        <source>Message group</source>
        <translation>Nachrichtengruppe</translation>
    </message>
    <message>
        <source>Deduplication ID</source>
        <translation>Deduplizierungs-ID</translation>
    </message>
    <message>
        <source>In progress</source>
        <translation>Läuft</translation>
    </message>
    <message>
        <source>Released before it finished (Filemill was closed)</source>
        <translation>Vor dem Ende freigegeben (das Programm wurde geschlossen)</translation>
    </message>
    <message>
        <source>Ended without a result (Filemill exited)</source>
        <translation>Ohne Ergebnis beendet (das Programm wurde beendet)</translation>
    </message>
    <message>
        <source>Ended without a result (the message was moved to the dead-letter queue)</source>
        <translation>Ohne Ergebnis beendet (die Nachricht wurde in die Dead-Letter-Warteschlange verschoben)</translation>
    </message>
    <message>
        <source>Cancelled: the file was removed from the list</source>
        <translation>Abgebrochen: Die Datei wurde aus der Liste entfernt</translation>
    </message>
    <message>
        <source>Checking the queue now.</source>
        <translation>Die Warteschlange wird jetzt abgefragt.</translation>
    </message>
    <message>
        <source>The selected files can&apos;t be processed next: they are already being processed, have finished or belong to another queue.</source>
        <translation>Die ausgewählten Dateien können nicht als Nächstes verarbeitet werden: Sie sind bereits in Arbeit oder fertig, oder sie gehören zu einer anderen Warteschlange.</translation>
    </message>
    <message numerus="yes">
        <source>%Ln file(s) will be processed next.</source>
        <translation>
            <numerusform>%Ln Datei wird als Nächstes verarbeitet.</numerusform>
            <numerusform>%Ln Dateien werden als Nächstes verarbeitet.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln file(s) will be processed next once you resume.</source>
        <translation>
            <numerusform>%Ln Datei wird nach dem Fortsetzen als Nächstes verarbeitet.</numerusform>
            <numerusform>%Ln Dateien werden nach dem Fortsetzen als Nächstes verarbeitet.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln file(s) moved to the front.</source>
        <translation>
            <numerusform>%Ln Datei nach vorn verschoben.</numerusform>
            <numerusform>%Ln Dateien nach vorn verschoben.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln file(s) (is|are) already in the queue, where the order can&apos;t be changed.</source>
        <translation>
            <numerusform>%Ln Datei ist bereits in der Warteschlange, wo die Reihenfolge nicht geändert werden kann.</numerusform>
            <numerusform>%Ln Dateien sind bereits in der Warteschlange, wo die Reihenfolge nicht geändert werden kann.</numerusform>
        </translation>
    </message>
    <message>
        <source>Stopped because of an error in Filemill. See the log for details.</source>
        <translation>Wegen eines Fehlers in Filemill angehalten. Details finden Sie im Protokoll.</translation>
    </message>
    <message>
        <source>Processing has stopped because of an error in Filemill. See the log for details.</source>
        <translation>Die Verarbeitung wurde wegen eines Fehlers in Filemill angehalten. Details finden Sie im Protokoll.</translation>
    </message>
    <message>
        <source>Sending has stopped because of an error in Filemill. See the log for details.</source>
        <translation>Das Senden wurde wegen eines Fehlers in Filemill angehalten. Details finden Sie im Protokoll.</translation>
    </message>
    <message>
        <source>Show</source>
        <translation>Anzeigen</translation>
    </message>
    <message>
        <source>Files are being processed</source>
        <translation>Dateien werden verarbeitet</translation>
    </message>
    <message>
        <source>Hide</source>
        <translation>Ausblenden</translation>
    </message>
    <message>
        <source>{what}, {span}: now {now}, peak {highest}, average {average}</source>
        <translation>{what}, {span}: jetzt {now}, Höchstwert {highest}, Durchschnitt {average}</translation>
    </message>
    <message>
        <source>now</source>
        <comment>the right end of a graph&apos;s time</comment>
        <translation>jetzt</translation>
    </message>
    <message numerus="yes">
        <source>-%Ln s</source>
        <comment>so many seconds ago, under a graph</comment>
        <translation>
            <numerusform>-%Ln s</numerusform>
            <numerusform>-%Ln s</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>-%Ln min</source>
        <comment>so many minutes ago, under a graph</comment>
        <translation>
            <numerusform>-%Ln min</numerusform>
            <numerusform>-%Ln min</numerusform>
        </translation>
    </message>
    <message>
        <source>1 min</source>
        <translation>1 min</translation>
    </message>
    <message>
        <source>5 min</source>
        <translation>5 min</translation>
    </message>
    <message>
        <source>1 h</source>
        <translation>1 h</translation>
    </message>
    <message>
        <source>6 h</source>
        <translation>6 h</translation>
    </message>
    <message>
        <source>24 h</source>
        <translation>24 h</translation>
    </message>
    <message>
        <source>Nothing was processed in the {span}.</source>
        <translation>Nichts verarbeitet ({span}).</translation>
    </message>
    <message>
        <source>{what}: {nothing}</source>
        <translation>{what}: {nothing}</translation>
    </message>
    <message>
        <source>last minute</source>
        <translation>letzte Minute</translation>
    </message>
    <message>
        <source>last 5 minutes</source>
        <translation>letzte 5 Minuten</translation>
    </message>
    <message>
        <source>last hour</source>
        <translation>letzte Stunde</translation>
    </message>
    <message>
        <source>last 6 hours</source>
        <translation>letzte 6 Stunden</translation>
    </message>
    <message>
        <source>last 24 hours</source>
        <translation>letzte 24 Stunden</translation>
    </message>
    <message>
        <source>Critical</source>
        <translation>Kritisch</translation>
    </message>
    <message>
        <source>Error</source>
        <translation>Fehler</translation>
    </message>
    <message>
        <source>Warning</source>
        <translation>Warnung</translation>
    </message>
    <message>
        <source>Info</source>
        <translation>Info</translation>
    </message>
    <message>
        <source>Debug</source>
        <translation>Debug</translation>
    </message>
    <message>
        <source>Time</source>
        <translation>Zeit</translation>
    </message>
    <message>
        <source>Level</source>
        <translation>Stufe</translation>
    </message>
    <message>
        <source>Source</source>
        <translation>Quelle</translation>
    </message>
    <message>
        <source>&amp;Follow</source>
        <translation>&amp;Folgen</translation>
    </message>
    <message>
        <source>Everything</source>
        <translation>Alles</translation>
    </message>
    <message>
        <source>Info and above</source>
        <translation>Info und höher</translation>
    </message>
    <message>
        <source>Warnings and above</source>
        <translation>Warnungen und höher</translation>
    </message>
    <message>
        <source>Errors only</source>
        <translation>Nur Fehler</translation>
    </message>
    <message>
        <source>Filter the log</source>
        <translation>Protokoll filtern</translation>
    </message>
    <message>
        <source>Scroll automatically to keep the newest entry visible; scroll up to stop following</source>
        <translation>Automatisch scrollen, damit der neueste Eintrag sichtbar bleibt; scrollen Sie nach oben, um dies zu beenden</translation>
    </message>
    <message>
        <source>The selected entry</source>
        <translation>Der ausgewählte Eintrag</translation>
    </message>
    <message>
        <source>Select an entry to read it in full.</source>
        <translation>Wählen Sie einen Eintrag aus, um ihn vollständig zu lesen.</translation>
    </message>
    <message>
        <source>&amp;Copy</source>
        <translation>&amp;Kopieren</translation>
    </message>
    <message>
        <source>C&amp;lear View</source>
        <translation>Ansicht &amp;leeren</translation>
    </message>
    <message>
        <source>&amp;Open Log Folder</source>
        <translation>Protokoll&amp;ordner öffnen</translation>
    </message>
    <message>
        <source>Copy the selected entries, or all entries shown if none are selected</source>
        <translation>Die ausgewählten Einträge kopieren, oder alle angezeigten, wenn keine ausgewählt sind</translation>
    </message>
    <message>
        <source>Show only new entries; the log itself is not changed</source>
        <translation>Nur neue Einträge anzeigen; das Protokoll selbst wird nicht geändert</translation>
    </message>
    <message>
        <source>You don&apos;t have permission to read the log in {folder}.</source>
        <translation>Sie haben keine Berechtigung, das Protokoll in {folder} zu lesen.</translation>
    </message>
    <message numerus="yes">
        <source>%Ln (entry|entries)</source>
        <translation>
            <numerusform>%Ln Eintrag</numerusform>
            <numerusform>%Ln Einträge</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{shown} of %Ln (entry|entries)</source>
        <translation>
            <numerusform>{shown} von %Ln Eintrag</numerusform>
            <numerusform>{shown} von %Ln Einträgen</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Copied %Ln (entry|entries).</source>
        <translation>
            <numerusform>%Ln Eintrag kopiert.</numerusform>
            <numerusform>%Ln Einträge kopiert.</numerusform>
        </translation>
    </message>
    <message>
        <source>Program and computer</source>
        <translation>Programm und Computer</translation>
    </message>
    <message>
        <source>Settings and connection</source>
        <translation>Einstellungen und Verbindung</translation>
    </message>
    <message>
        <source>Database</source>
        <translation>Datenbank</translation>
    </message>
    <message>
        <source>Checks</source>
        <translation>Prüfungen</translation>
    </message>
    <message>
        <source>Support Report</source>
        <translation>Supportbericht</translation>
    </message>
    <message>
        <source>File &amp;names</source>
        <translation>Datei&amp;namen</translation>
    </message>
    <message>
        <source>This is what will be saved. Nothing is sent anywhere. Review it, and clear what you don&apos;t want to share.</source>
        <translation>Diese Informationen werden gespeichert. Es wird nichts gesendet. Prüfen Sie sie, und wählen Sie ab, was Sie nicht weitergeben möchten.</translation>
    </message>
    <message>
        <source>File names and paths are replaced with [path] unless this is selected</source>
        <translation>Dateinamen und Pfade werden durch [path] ersetzt, wenn dies nicht ausgewählt ist</translation>
    </message>
    <message>
        <source>The report</source>
        <translation>Der Bericht</translation>
    </message>
    <message>
        <source>Search the report</source>
        <translation>Im Bericht suchen</translation>
    </message>
    <message>
        <source>&amp;Save…</source>
        <translation>&amp;Speichern…</translation>
    </message>
    <message>
        <source>“{words}” was not found in the report.</source>
        <translation>„{words}“ wurde im Bericht nicht gefunden.</translation>
    </message>
    <message>
        <source>Copied the report.</source>
        <translation>Bericht kopiert.</translation>
    </message>
    <message>
        <source>Filemill report {moment}</source>
        <translation>Filemill-Bericht {moment}</translation>
    </message>
    <message>
        <source>Save Support Report</source>
        <translation>Supportbericht speichern</translation>
    </message>
    <message>
        <source>ZIP archives (*.zip)</source>
        <translation>ZIP-Archive (*.zip)</translation>
    </message>
    <message>
        <source>Text files (*.txt)</source>
        <translation>Textdateien (*.txt)</translation>
    </message>
    <message>
        <source>Saved the support report as “{name}”.</source>
        <translation>Supportbericht als „{name}“ gespeichert.</translation>
    </message>
    <message>
        <source>Show in Folder</source>
        <translation>Im Ordner anzeigen</translation>
    </message>
    <message>
        <source>A file has failed</source>
        <translation>Eine Datei ist fehlgeschlagen</translation>
    </message>
    <message>
        <source>The other files are not affected. Open Filemill to see why the file failed and what you can do.</source>
        <translation>Die anderen Dateien sind nicht betroffen. Öffnen Sie Filemill, um den Grund zu sehen und was Sie tun können.</translation>
    </message>
    <message>
        <source>Finished with problems</source>
        <translation>Mit Problemen beendet</translation>
    </message>
    <message>
        <source>Processing is off</source>
        <translation>Verarbeitung ist ausgeschaltet</translation>
    </message>
    <message>
        <source>Throughput</source>
        <translation>Durchsatz</translation>
    </message>
    <message>
        <source>Files per second</source>
        <translation>Dateien pro Sekunde</translation>
    </message>
    <message>
        <source>Bytes per second</source>
        <translation>Bytes pro Sekunde</translation>
    </message>
    <message>
        <source>This queue contains messages from another program</source>
        <translation>Diese Warteschlange enthält Nachrichten eines anderen Programms</translation>
    </message>
    <message>
        <source>The most recent messages all belong to another program and were left unchanged. Processing has stopped because each time they are received, it counts as a delivery attempt. Choose a queue that only Filemill uses.</source>
        <translation>Die letzten Nachrichten stammen alle von einem anderen Programm und wurden nicht verändert. Die Verarbeitung wurde angehalten, weil jeder Empfang als Zustellversuch zählt. Wählen Sie eine Warteschlange, die nur Filemill verwendet.</translation>
    </message>
    <message>
        <source>Messages from another program are holding up your files</source>
        <translation>Nachrichten eines anderen Programms halten Ihre Dateien auf</translation>
    </message>
    <message>
        <source>Messages are sent to this queue, but the files are not processed on this computer yet. Allow processing if only Filemill uses the queue: each time it receives another program&apos;s message, it counts as a delivery attempt.</source>
        <translation>Nachrichten werden an diese Warteschlange gesendet, aber die Dateien werden auf diesem Computer noch nicht verarbeitet. Erlauben Sie die Verarbeitung, wenn nur Filemill die Warteschlange verwendet: Jeder Empfang einer Nachricht eines anderen Programms zählt als Zustellversuch.</translation>
    </message>
    <message>
        <source>The queue did not accept a message.</source>
        <translation>Die Warteschlange hat eine Nachricht nicht angenommen.</translation>
    </message>
    <message>
        <source>The folder {folder} can&apos;t be written to: {why}. Check its permissions.</source>
        <translation>In den Ordner {folder} kann nicht geschrieben werden: {why}. Prüfen Sie seine Berechtigungen.</translation>
    </message>
    <message>
        <source>Another program is using {file} and has locked it. You can safely try again.</source>
        <translation>Ein anderes Programm verwendet {file} und hat die Datei gesperrt. Sie können es gefahrlos erneut versuchen.</translation>
    </message>
    <message>
        <source>There is no temporary folder that can be written to. Set TMPDIR to the path of a folder.</source>
        <translation>Es gibt keinen temporären Ordner, in den geschrieben werden kann. Setzen Sie TMPDIR auf den Pfad eines Ordners.</translation>
    </message>
    <message>
        <source>{file} is damaged or is not a Filemill database. Nothing was changed. To set it aside and use the newest backup instead, see “filemill doctor --help”.</source>
        <translation>{file} ist beschädigt oder keine Datenbank von Filemill. Es wurde nichts geändert. Wie Sie stattdessen die neueste Sicherung verwenden, zeigt „filemill doctor --help“.</translation>
    </message>
    <message>
        <source>{file} is a folder, not a database. Move it, or set FILEMILL_DATABASE to a file.</source>
        <translation>{file} ist ein Ordner und keine Datenbank. Verschieben Sie ihn, oder setzen Sie FILEMILL_DATABASE auf eine Datei.</translation>
    </message>
    <message>
        <source>{program} has not provided credentials.</source>
        <translation>{program} hat keine Anmeldedaten bereitgestellt.</translation>
    </message>
    <message>
        <source>{program} has not provided credentials yet. Waiting for it …</source>
        <translation>{program} hat noch keine Anmeldedaten bereitgestellt. Filemill wartet darauf …</translation>
    </message>
    <message>
        <source>{program} could not be started: {reason}. Check credential_process in the AWS configuration.</source>
        <translation>{program} konnte nicht gestartet werden: {reason}. Prüfen Sie credential_process in der AWS-Konfiguration.</translation>
    </message>
    <message>
        <source>{program} was ended before it provided credentials.</source>
        <translation>{program} wurde beendet, bevor es Anmeldedaten bereitgestellt hat.</translation>
    </message>
    <message>
        <source>{program} did not finish within {seconds} s and was ended. Run it in a terminal to see what it is waiting for.</source>
        <translation>{program} war nach {seconds} s nicht fertig und wurde beendet. Führen Sie es in einem Terminal aus, um zu sehen, worauf es wartet.</translation>
    </message>
    <message>
        <source>{program} printed more than {count} bytes. Check credential_process in the AWS configuration.</source>
        <translation>{program} hat mehr als {count} Bytes ausgegeben. Prüfen Sie credential_process in der AWS-Konfiguration.</translation>
    </message>
    <message>
        <source>{program} was ended by the signal {signal}. Run it in a terminal to see why.</source>
        <translation>{program} wurde durch das Signal {signal} beendet. Führen Sie es in einem Terminal aus, um den Grund zu sehen.</translation>
    </message>
    <message>
        <source>{program} failed with exit code {code}. Run it in a terminal to see why.</source>
        <translation>{program} ist mit dem Exit-Code {code} fehlgeschlagen. Führen Sie es in einem Terminal aus, um den Grund zu sehen.</translation>
    </message>
    <message>
        <source>Filemill has received {count} messages of another program so far, and left them unchanged. It keeps looking for the messages of your files, but more slowly, because each time a message is received, it counts as a delivery attempt. Choose a queue that only Filemill uses.</source>
        <translation>Filemill hat bisher {count} Nachrichten eines anderen Programms empfangen und nicht verändert. Es sucht weiter nach den Nachrichten Ihrer Dateien, aber langsamer, weil jeder Empfang als Zustellversuch zählt. Wählen Sie eine Warteschlange, die nur Filemill verwendet.</translation>
    </message>
    <message>
        <source>the services section “{name}” of the AWS configuration</source>
        <translation>Abschnitt „{name}“ (services) der AWS-Konfiguration</translation>
    </message>
    <message>
        <source>endpoint_url of profile “{name}”</source>
        <translation>endpoint_url im Profil „{name}“</translation>
    </message>
    <message>
        <source>the region of profile “{name}”</source>
        <translation>die Region von Profil „{name}“</translation>
    </message>
    <message>
        <source>the system&apos;s proxy settings</source>
        <translation>Proxy-Einstellungen des Systems</translation>
    </message>
    <message>
        <source>{variable} excludes it from the proxy.</source>
        <translation>{variable} nimmt ihn vom Proxy aus.</translation>
    </message>
    <message>
        <source>The proxy in {variable} is not used for AWS; set {wanted}.</source>
        <translation>Der Proxy in {variable} wird für AWS nicht verwendet; setzen Sie {wanted}.</translation>
    </message>
    <message>
        <source>{reason}.</source>
        <translation>{reason}.</translation>
    </message>
    <message>
        <source>The disk or network share at {place} does not respond. Try again once it does.</source>
        <translation>Das Laufwerk oder die Netzwerkfreigabe unter {place} antwortet nicht. Versuchen Sie es noch einmal, sobald die Verbindung wieder besteht.</translation>
    </message>
    <message>
        <source>it belongs to another user</source>
        <translation>sie gehört einem anderen Benutzer</translation>
    </message>
    <message>
        <source>{queue} on {server}</source>
        <translation>{queue} auf {server}</translation>
    </message>
    <message>
        <source>{queue} · {more}</source>
        <translation>{queue} · {more}</translation>
    </message>
    <message>
        <source>Words in the path or the reason</source>
        <translation>Wörter im Pfad oder im Grund</translation>
    </message>
    <message>
        <source>orders 2026</source>
        <translation>rechnung 2026</translation>
    </message>
    <message>
        <source>A phrase, or signs such as * and : as they are</source>
        <translation>Eine Wortfolge, oder Zeichen wie * und : selbst</translation>
    </message>
    <message>
        <source>The whole name: * is any text, ? any character</source>
        <translation>Der ganze Name: * ist beliebiger Text, ? ein beliebiges Zeichen</translation>
    </message>
    <message>
        <source>All except these; works before a key, too</source>
        <translation>Alle außer diesen; geht auch vor einem Schlüsselwort</translation>
    </message>
    <message>
        <source>-draft</source>
        <translation>-entwurf</translation>
    </message>
    <message>
        <source>The file name</source>
        <translation>Der Dateiname</translation>
    </message>
    <message>
        <source>name:report*</source>
        <translation>name:bericht*</translation>
    </message>
    <message>
        <source>The folder</source>
        <translation>Der Ordner</translation>
    </message>
    <message>
        <source>folder:invoices</source>
        <translation>ordner:rechnungen</translation>
    </message>
    <message>
        <source>The folder and the name</source>
        <translation>Der Ordner und der Name</translation>
    </message>
    <message>
        <source>path:2026/*.csv</source>
        <translation>pfad:2026/*.csv</translation>
    </message>
    <message>
        <source>The file type, or several</source>
        <translation>Der Dateityp, oder mehrere</translation>
    </message>
    <message>
        <source>type:json,csv</source>
        <translation>typ:json,csv</translation>
    </message>
    <message>
        <source>Pending, processing, processed or failed</source>
        <translation>Ausstehend, in Arbeit, verarbeitet oder fehlgeschlagen</translation>
    </message>
    <message>
        <source>status:failed</source>
        <translation>status:fehlgeschlagen</translation>
    </message>
    <message>
        <source>Why a file failed or is waiting</source>
        <translation>Warum eine Datei fehlschlug oder wartet</translation>
    </message>
    <message>
        <source>reason:permission</source>
        <translation>grund:berechtigung</translation>
    </message>
    <message>
        <source>The name of the batch</source>
        <translation>Der Name des Stapels</translation>
    </message>
    <message>
        <source>batch:reports</source>
        <translation>stapel:berichte</translation>
    </message>
    <message>
        <source>The computer that processed the file</source>
        <translation>Der Computer, der die Datei verarbeitet hat</translation>
    </message>
    <message>
        <source>worker:laptop</source>
        <translation>computer:laptop</translation>
    </message>
    <message>
        <source>What the file is processed as</source>
        <translation>Als was die Datei verarbeitet wird</translation>
    </message>
    <message>
        <source>processor:lines</source>
        <translation>verarbeitung:lines</translation>
    </message>
    <message>
        <source>The size: a limit, or a range</source>
        <translation>Die Größe: eine Grenze oder ein Bereich</translation>
    </message>
    <message>
        <source>size:1MB..2GB</source>
        <translation>größe:1MB..2GB</translation>
    </message>
    <message>
        <source>The number of lines</source>
        <translation>Die Anzahl der Zeilen</translation>
    </message>
    <message>
        <source>lines:0</source>
        <translation>zeilen:0</translation>
    </message>
    <message>
        <source>The number of attempts</source>
        <translation>Die Anzahl der Versuche</translation>
    </message>
    <message>
        <source>attempts:&gt;1</source>
        <translation>versuche:&gt;1</translation>
    </message>
    <message>
        <source>The duration in ms, s, m or h</source>
        <translation>Die Dauer in ms, s, min oder h</translation>
    </message>
    <message>
        <source>took:&gt;1m</source>
        <translation>dauer:&gt;1min</translation>
    </message>
    <message>
        <source>A day, a time or a range of them</source>
        <translation>Ein Tag, eine Zeit oder ein Zeitraum</translation>
    </message>
    <message>
        <source>added:today</source>
        <translation>hinzugefügt:heute</translation>
    </message>
    <message>
        <source>When it was processed; 2h: in the last two hours</source>
        <translation>Wann die Datei verarbeitet wurde; 2h: in den letzten zwei Stunden</translation>
    </message>
    <message>
        <source>finished:2h</source>
        <translation>beendet:2h</translation>
    </message>
    <message>
        <source>Only the first {count} words and conditions are used.</source>
        <translation>Nur die ersten {count} Wörter und Bedingungen werden verwendet.</translation>
    </message>
    <message>
        <source>Only the first {count} values are used.</source>
        <translation>Nur die ersten {count} Werte werden verwendet.</translation>
    </message>
    <message>
        <source>There is no “{key}:”. Did you mean “{other}:”? To search for the text, put it in quotes.</source>
        <translation>„{key}:“ gibt es nicht. Meinten Sie „{other}:“? Um nach dem Text zu suchen, setzen Sie ihn in Anführungszeichen.</translation>
    </message>
    <message>
        <source>There is no “{key}:”. To search for the text, put it in quotes.</source>
        <translation>„{key}:“ gibt es nicht. Um nach dem Text zu suchen, setzen Sie ihn in Anführungszeichen.</translation>
    </message>
    <message>
        <source>“{value}” is neither yes nor no. Examples: {key}:yes, {key}:no</source>
        <translation>„{value}“ ist weder ja noch nein. Beispiele: {key}:ja, {key}:nein</translation>
    </message>
    <message>
        <source>“{value}” is not a status. There are pending, processing, processed and failed.</source>
        <translation>„{value}“ ist kein Status. Es gibt ausstehend, in Arbeit, verarbeitet und fehlgeschlagen.</translation>
    </message>
    <message>
        <source>“{value}” is not a size. Examples: {key}:&gt;10MB, {key}:1MB..2GB</source>
        <translation>„{value}“ ist keine Größe. Beispiele: {key}:&gt;10MB, {key}:1MB..2GB</translation>
    </message>
    <message>
        <source>“{value}” is not a duration. Examples: {key}:&gt;1m, {key}:10s..2m</source>
        <translation>„{value}“ ist keine Dauer. Beispiele: {key}:&gt;1min, {key}:10s..2min</translation>
    </message>
    <message>
        <source>“{value}” is not a time. Examples: {key}:today, {key}:2026-11-27, {key}:&lt;2h</source>
        <translation>„{value}“ ist keine Zeit. Beispiele: {key}:heute, {key}:27.11.2026, {key}:&lt;2h</translation>
    </message>
    <message>
        <source>“{value}” is not a number. Examples: {key}:0, {key}:&gt;1, {key}:5..10</source>
        <translation>„{value}“ ist keine Zahl. Beispiele: {key}:0, {key}:&gt;1, {key}:5..10</translation>
    </message>
    <message>
        <source>{count} files from {folder}</source>
        <translation>{count} Dateien aus {folder}</translation>
    </message>
    <message>
        <source>{name} and {other}</source>
        <translation>{name} und {other}</translation>
    </message>
    <message>
        <source>{name} and {count} more files</source>
        <translation>{name} und {count} weitere Dateien</translation>
    </message>
    <message>
        <source>{count} folders in {folder}</source>
        <translation>{count} Ordner in {folder}</translation>
    </message>
    <message>
        <source>{name} and {count} more folders</source>
        <translation>{name} und {count} weitere Ordner</translation>
    </message>
    <message>
        <source>Se&amp;ttings…</source>
        <translation>&amp;Einstellungen …</translation>
    </message>
    <message>
        <source>Choose the language, the theme and other preferences</source>
        <translation>Sprache, Farben und anderes einstellen</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>Einstellungen</translation>
    </message>
    <message>
        <source>Appearance</source>
        <translation>Darstellung</translation>
    </message>
    <message>
        <source>&amp;Language</source>
        <translation>S&amp;prache</translation>
    </message>
    <message>
        <source>As the system</source>
        <translation>Wie das System</translation>
    </message>
    <message>
        <source>&amp;Restart Now</source>
        <translation>Jetzt &amp;neu starten</translation>
    </message>
    <message>
        <source>&amp;Theme</source>
        <translation>&amp;Farben</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>Hell</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>Dunkel</translation>
    </message>
    <message>
        <source>&amp;Compact rows in the list</source>
        <translation>Kompakte &amp;Zeilen in der Liste</translation>
    </message>
    <message>
        <source>Automatic ({count})</source>
        <translation>Automatisch ({count})</translation>
    </message>
    <message>
        <source>Processed at &amp;once</source>
        <translation>&amp;Gleichzeitig verarbeitet</translation>
    </message>
    <message>
        <source>Already on the li&amp;st</source>
        <translation>Schon in der &amp;Liste</translation>
    </message>
    <message>
        <source>Ask</source>
        <translation>Nachfragen</translation>
    </message>
    <message>
        <source>Skip</source>
        <translation>Überspringen</translation>
    </message>
    <message>
        <source>Add again</source>
        <translation>Noch einmal hinzufügen</translation>
    </message>
    <message>
        <source>Remove &amp;processed</source>
        <translation>&amp;Verarbeitete entfernen</translation>
    </message>
    <message>
        <source>Never</source>
        <translation>Nie</translation>
    </message>
    <message>
        <source>Only from the list; no file is deleted. Failed files stay.</source>
        <translation>Nur aus der Liste; keine Datei wird gelöscht. Fehlgeschlagene bleiben.</translation>
    </message>
    <message>
        <source>R&amp;ules by File Type…</source>
        <translation>Re&amp;geln nach Dateityp…</translation>
    </message>
    <message>
        <source>Processing</source>
        <comment>what is done to files</comment>
        <translation>Verarbeitung</translation>
    </message>
    <message>
        <source>Detailed helps to find causes. The contents of files are never logged.</source>
        <translation>„Ausführlich“ hilft, Ursachen zu finden. Inhalte von Dateien werden nie protokolliert.</translation>
    </message>
    <message>
        <source>Filemill has to restart to change the language. The list and your place in it are kept, but earlier changes can then no longer be undone.</source>
        <translation>Um die Sprache zu wechseln, muss Filemill neu starten. Die Liste und Ihre Stelle darin bleiben erhalten, frühere Änderungen lassen sich danach aber nicht mehr rückgängig machen.</translation>
    </message>
    <message>
        <source>Comman&amp;ds…</source>
        <translation>Befehl&amp;e…</translation>
    </message>
    <message>
        <source>Plug-ins…</source>
        <translation>Plug-ins…</translation>
    </message>
    <message>
        <source>What is done to files of some types.</source>
        <translation>Was mit Dateien bestimmter Typen geschieht.</translation>
    </message>
    <message>
        <source>Programs of yours that can be run for each file.</source>
        <translation>Eigene Programme, die für jede Datei ausgeführt werden können.</translation>
    </message>
    <message>
        <source>Pause a &amp;batch when many of its files fail</source>
        <translation>&amp;Stapel pausieren, wenn viele seiner Dateien fehlschlagen</translation>
    </message>
    <message>
        <source>When more than 20 % and at least 20 of its files have failed for the same reason.</source>
        <translation>Wenn mehr als 20 % und mindestens 20 seiner Dateien aus demselben Grund fehlgeschlagen sind.</translation>
    </message>
    <message>
        <source>Processors that others have written.</source>
        <translation>Verarbeitungen, die andere geschrieben haben.</translation>
    </message>
    <message>
        <source>Desktop</source>
        <translation>Desktop</translation>
    </message>
    <message>
        <source>&amp;Notifications</source>
        <translation>&amp;Benachrichtigungen</translation>
    </message>
    <message>
        <source>When finished, and problems</source>
        <translation>Wenn alles fertig ist, und Probleme</translation>
    </message>
    <message>
        <source>Only problems</source>
        <translation>Nur Probleme</translation>
    </message>
    <message>
        <source>None</source>
        <translation>Keine</translation>
    </message>
    <message>
        <source>&amp;Keep running in the tray</source>
        <translation>Im Infobereich &amp;weiterlaufen</translation>
    </message>
    <message>
        <source>When you close the window, Filemill goes on, and its icon in the tray opens the window again.</source>
        <translation>Wenn Sie das Fenster schließen, läuft Filemill weiter; das Symbol im Infobereich öffnet das Fenster wieder.</translation>
    </message>
    <message>
        <source>This desktop has no tray.</source>
        <translation>Dieser Desktop hat keinen Infobereich.</translation>
    </message>
    <message>
        <source>Data</source>
        <translation>Daten</translation>
    </message>
    <message>
        <source>Open &amp;Folder</source>
        <translation>&amp;Ordner öffnen</translation>
    </message>
    <message>
        <source>How to &amp;Move It</source>
        <translation>Anleitung zum &amp;Umziehen</translation>
    </message>
    <message>
        <source>Location of the l&amp;ist</source>
        <translation>O&amp;rt der Liste</translation>
    </message>
    <message>
        <source>Lo&amp;g</source>
        <translation>Proto&amp;koll</translation>
    </message>
    <message>
        <source>Normal</source>
        <translation>Normal</translation>
    </message>
    <message>
        <source>Detailed</source>
        <translation>Ausführlich</translation>
    </message>
    <message numerus="yes">
        <source>After %Ln day(s)</source>
        <translation>
            <numerusform>Nach %Ln Tag</numerusform>
            <numerusform>Nach %Ln Tagen</numerusform>
        </translation>
    </message>
    <message>
        <source>Set by the environment variable {name}.</source>
        <translation>Festgelegt durch die Umgebungsvariable {name}.</translation>
    </message>
    <message>
        <source>Filemill was started with {option}.</source>
        <translation>Filemill wurde mit {option} gestartet.</translation>
    </message>
    <message>
        <source>Filemill Help</source>
        <translation>Filemill-Hilfe</translation>
    </message>
    <message>
        <source>Contents</source>
        <translation>Inhalt</translation>
    </message>
    <message numerus="yes">
        <source>%Ln place(s)</source>
        <translation>
            <numerusform>%Ln Stelle</numerusform>
            <numerusform>%Ln Stellen</numerusform>
        </translation>
    </message>
    <message>
        <source>Find in the help</source>
        <translation>In der Hilfe suchen</translation>
    </message>
    <message>
        <source>en</source>
        <comment>the language code of this translation</comment>
        <translation>de</translation>
    </message>
    <message>
        <source>Type the keys of the server in Connection…, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.</source>
        <translation>Geben Sie die Schlüssel des Servers unter „Verbindung …“ ein, oder setzen Sie AWS_ACCESS_KEY_ID und AWS_SECRET_ACCESS_KEY.</translation>
    </message>
    <message>
        <source>The system&apos;s keyring does not contain the keys for {server}. {advice}</source>
        <translation>Der Schlüsselbund des Systems enthält die Schlüssel für {server} nicht. {advice}</translation>
    </message>
    <message>
        <source>This system has no keyring that is running, such as GNOME Keyring or KWallet.</source>
        <translation>Auf diesem System läuft kein Schlüsselbund, wie zum Beispiel der GNOME-Schlüsselbund oder KWallet.</translation>
    </message>
    <message>
        <source>The system&apos;s keyring can&apos;t be used: {why}.</source>
        <translation>Der Schlüsselbund des Systems kann nicht verwendet werden: {why}.</translation>
    </message>
    <message>
        <source>More than 10 MB</source>
        <translation>Mehr als 10 MB</translation>
    </message>
    <message>
        <source>Less than 1 kB</source>
        <translation>Weniger als 1 kB</translation>
    </message>
    <message>
        <source>From 1 MB to 2 GB</source>
        <translation>Von 1 MB bis 2 GB</translation>
    </message>
    <message>
        <source>More than 0</source>
        <translation>Mehr als 0</translation>
    </message>
    <message>
        <source>From 1 to 10</source>
        <translation>Von 1 bis 10</translation>
    </message>
    <message>
        <source>Empty files</source>
        <translation>Leere Dateien</translation>
    </message>
    <message>
        <source>No lines</source>
        <translation>Keine Zeilen</translation>
    </message>
    <message>
        <source>More than 1,000 lines</source>
        <translation>Mehr als 1.000 Zeilen</translation>
    </message>
    <message>
        <source>From 1 to 10 lines</source>
        <translation>Von 1 bis 10 Zeilen</translation>
    </message>
    <message>
        <source>More than one attempt</source>
        <translation>Mehr als ein Versuch</translation>
    </message>
    <message>
        <source>Never started</source>
        <translation>Nie begonnen</translation>
    </message>
    <message>
        <source>More than a minute</source>
        <translation>Länger als eine Minute</translation>
    </message>
    <message>
        <source>Less than a second</source>
        <translation>Kürzer als eine Sekunde</translation>
    </message>
    <message>
        <source>From 10 seconds to 2 minutes</source>
        <translation>Von 10 Sekunden bis 2 Minuten</translation>
    </message>
    <message>
        <source>In the last two hours</source>
        <translation>In den letzten zwei Stunden</translation>
    </message>
    <message>
        <source>In the last seven days</source>
        <translation>In den letzten sieben Tagen</translation>
    </message>
    <message>
        <source>More than seven days ago</source>
        <translation>Vor mehr als sieben Tagen</translation>
    </message>
    <message>
        <source>On a day</source>
        <translation>An einem Tag</translation>
    </message>
    <message>
        <source>From one day to another</source>
        <translation>Von einem Tag bis zu einem anderen</translation>
    </message>
    <message>
        <source>Suggestions</source>
        <translation>Vorschläge</translation>
    </message>
    <message>
        <source>Numbers, sizes, durations and times can be compared with &lt;, &gt;, &lt;= and &gt;=, or be a range: 5..10</source>
        <translation>Zahlen, Größen, Dauern und Zeiten lassen sich mit &lt;, &gt;, &lt;= und &gt;= vergleichen oder als Bereich angeben: 5..10</translation>
    </message>
    <message>
        <source>Example</source>
        <translation>Beispiel</translation>
    </message>
    <message>
        <source>Finds</source>
        <translation>Findet</translation>
    </message>
    <message>
        <source>a number</source>
        <translation>eine Zahl</translation>
    </message>
    <message>
        <source>a text</source>
        <translation>ein Text</translation>
    </message>
    <message>
        <source>The option “{name}” must be {kind}.</source>
        <translation>Die Option „{name}“ muss {kind} sein.</translation>
    </message>
    <message>
        <source>The option “{name}” must be one of: {choices}.</source>
        <translation>Die Option „{name}“ muss eines davon sein: {choices}.</translation>
    </message>
    <message>
        <source>The option “{name}” must be from {least} to {most}.</source>
        <translation>Die Option „{name}“ muss zwischen {least} und {most} liegen.</translation>
    </message>
    <message>
        <source>“{text}” is not of the form KEY=VALUE.</source>
        <translation>„{text}“ hat nicht die Form KEY=VALUE.</translation>
    </message>
    <message>
        <source>There is no option “{name}”: this processor has no options.</source>
        <translation>Es gibt keine Option „{name}“: Diese Verarbeitung hat keine Optionen.</translation>
    </message>
    <message>
        <source>There is no option “{name}”. The options are: {options}.</source>
        <translation>Es gibt keine Option „{name}“. Die Optionen sind: {options}.</translation>
    </message>
    <message>
        <source>The options are too large: at most {most} characters.</source>
        <translation>Die Optionen sind zu groß: höchstens {most} Zeichen.</translation>
    </message>
    <message>
        <source>The options of this file are not valid. Choose Retry As… to set them again.</source>
        <translation>Die Optionen dieser Datei sind ungültig. Wählen Sie „Wiederholen als…“, um sie neu einzustellen.</translation>
    </message>
    <message>
        <source>By file type</source>
        <translation>Nach Dateityp</translation>
    </message>
    <message>
        <source>&amp;Rules by File Type…</source>
        <translation>&amp;Regeln nach Dateityp…</translation>
    </message>
    <message>
        <source>&amp;Commands…</source>
        <translation>&amp;Befehle…</translation>
    </message>
    <message>
        <source>Process as</source>
        <translation>Verarbeiten als</translation>
    </message>
    <message>
        <source>Pro&amp;cess as: {title}</source>
        <translation>Ver&amp;arbeiten als: {title}</translation>
    </message>
    <message>
        <source>*.csv; *.tsv</source>
        <translation>*.csv; *.tsv</translation>
    </message>
    <message>
        <source>Files that match</source>
        <translation>Dateien, die passen</translation>
    </message>
    <message>
        <source>Remove this rule</source>
        <translation>Diese Regel entfernen</translation>
    </message>
    <message>
        <source>Rules by File Type</source>
        <translation>Regeln nach Dateityp</translation>
    </message>
    <message>
        <source>The first rule that matches the name of an added file applies. In all others, lines are counted.</source>
        <translation>Es gilt die erste Regel, die zum Namen einer hinzugefügten Datei passt. In allen anderen werden Zeilen gezählt.</translation>
    </message>
    <message>
        <source>Add R&amp;ule</source>
        <translation>Rege&amp;l hinzufügen</translation>
    </message>
    <message>
        <source>Lines and size</source>
        <translation>Zeilen und Größe</translation>
    </message>
    <message>
        <source>Checksums</source>
        <translation>Prüfsummen</translation>
    </message>
    <message>
        <source>Verified</source>
        <translation>Überprüft</translation>
    </message>
    <message>
        <source>Listed in</source>
        <translation>Aufgeführt in</translation>
    </message>
    <message>
        <source>Listed files</source>
        <translation>Aufgeführte Dateien</translation>
    </message>
    <message>
        <source>Missing files</source>
        <translation>Fehlende Dateien</translation>
    </message>
    <message>
        <source>First missing file</source>
        <translation>Erste fehlende Datei</translation>
    </message>
    <message>
        <source>Algorithm</source>
        <translation>Algorithmus</translation>
    </message>
    <message>
        <source>All</source>
        <translation>Alle</translation>
    </message>
    <message>
        <source>Expected checksums</source>
        <translation>Erwartete Prüfsummen</translation>
    </message>
    <message>
        <source>A list such as sha256sum writes, or one checksum. Files that do not match fail.</source>
        <translation>Eine Liste, wie sha256sum sie schreibt, oder eine einzelne Prüfsumme. Dateien, die nicht übereinstimmen, schlagen fehl.</translation>
    </message>
    <message>
        <source>Compare with lists</source>
        <translation>Mit Listen vergleichen</translation>
    </message>
    <message>
        <source>Beside the files</source>
        <translation>Neben den Dateien</translation>
    </message>
    <message>
        <source>No lists</source>
        <translation>Keine Listen</translation>
    </message>
    <message>
        <source>They are named like SHA256SUMS or NAME.md5, in the folder of a file or one above it.</source>
        <translation>Sie heißen etwa SHA256SUMS oder NAME.md5 und liegen im Ordner einer Datei oder darüber.</translation>
    </message>
    <message>
        <source>Every file must be listed</source>
        <translation>Jede Datei muss aufgeführt sein</translation>
    </message>
    <message>
        <source>Files for which there is no checksum to compare with fail, except lists themselves.</source>
        <translation>Dateien, für die es keine Prüfsumme zum Vergleichen gibt, schlagen fehl, außer den Listen selbst.</translation>
    </message>
    <message>
        <source>Lists that name missing files</source>
        <translation>Listen, die fehlende Dateien nennen</translation>
    </message>
    <message>
        <source>A list that is processed itself fails if files that it names are missing, or only reports them.</source>
        <translation>Eine Liste, die selbst verarbeitet wird, schlägt fehl, wenn in ihr genannte Dateien fehlen, oder meldet sie nur.</translation>
    </message>
    <message>
        <source>The folder does not exist, or its disk is not connected.</source>
        <translation>Der Ordner existiert nicht, oder sein Datenträger ist nicht verbunden.</translation>
    </message>
    <message>
        <source>You don&apos;t have permission to read this folder.</source>
        <translation>Sie haben keine Leseberechtigung für diesen Ordner.</translation>
    </message>
    <message>
        <source>The disk or network share of this folder does not respond.</source>
        <translation>Der Datenträger oder die Netzwerkfreigabe dieses Ordners antwortet nicht.</translation>
    </message>
    <message>
        <source>it is on a network share</source>
        <translation>er liegt auf einer Netzwerkfreigabe</translation>
    </message>
    <message>
        <source>It is looked at every few seconds: {why}.</source>
        <translation>Er wird alle paar Sekunden durchgesehen: {why}.</translation>
    </message>
    <message>
        <source>This folder can&apos;t be read: {reason}.</source>
        <translation>Dieser Ordner kann nicht gelesen werden: {reason}.</translation>
    </message>
    <message>
        <source>This is a file, not a folder.</source>
        <translation>Dies ist eine Datei, kein Ordner.</translation>
    </message>
    <message>
        <source>Filemill keeps its own data in this folder. Watch another one.</source>
        <translation>In diesem Ordner liegen Daten von Filemill selbst. Überwachen Sie einen anderen.</translation>
    </message>
    <message>
        <source>this system does not allow Filemill to follow more folders</source>
        <translation>dieses System erlaubt Filemill nicht, weitere Ordner zu verfolgen</translation>
    </message>
    <message>
        <source>the system can&apos;t tell what changes in it</source>
        <translation>das System kann nicht melden, was sich darin ändert</translation>
    </message>
    <message>
        <source>{folder} is watched already.</source>
        <translation>{folder} wird bereits überwacht.</translation>
    </message>
    <message>
        <source>Detect</source>
        <translation>Erkennen</translation>
    </message>
    <message>
        <source>Comma</source>
        <translation>Komma</translation>
    </message>
    <message>
        <source>Semicolon</source>
        <translation>Semikolon</translation>
    </message>
    <message>
        <source>Tab</source>
        <translation>Tabulator</translation>
    </message>
    <message>
        <source>Vertical bar</source>
        <translation>Senkrechter Strich</translation>
    </message>
    <message>
        <source>Table check (CSV, TSV, JSON Lines)</source>
        <translation>Tabellenprüfung (CSV, TSV, JSON Lines)</translation>
    </message>
    <message>
        <source>Kind of table</source>
        <translation>Art der Tabelle</translation>
    </message>
    <message>
        <source>Rows</source>
        <translation>Zeilen der Tabelle</translation>
    </message>
    <message>
        <source>Bad rows</source>
        <translation>Fehlerhafte Zeilen</translation>
    </message>
    <message>
        <source>First bad line</source>
        <translation>Erste fehlerhafte Zeile</translation>
    </message>
    <message>
        <source>Delimiter</source>
        <translation>Trennzeichen</translation>
    </message>
    <message>
        <source>Header</source>
        <translation>Kopfzeile</translation>
    </message>
    <message>
        <source>Encoding</source>
        <translation>Zeichenkodierung</translation>
    </message>
    <message>
        <source>Files with bad rows</source>
        <translation>Dateien mit fehlerhaften Zeilen</translation>
    </message>
    <message>
        <source>They fail with the first bad line as the reason, or their bad rows are only counted.</source>
        <translation>Sie schlagen mit der ersten fehlerhaften Zeile als Grund fehl, oder ihre fehlerhaften Zeilen werden nur gezählt.</translation>
    </message>
    <message>
        <source>No quotation marks</source>
        <translation>Keine Anführungszeichen</translation>
    </message>
    <message>
        <source>The first row is taken for a header if its texts are all different and none is a number.</source>
        <translation>Die erste Zeile gilt als Kopfzeile, wenn ihre Texte alle verschieden sind und keiner eine Zahl ist.</translation>
    </message>
    <message>
        <source>Quotation marks</source>
        <translation>Anführungszeichen</translation>
    </message>
    <message>
        <source>Quotation marks are text in TSV files that are not written by spreadsheets.</source>
        <translation>In TSV-Dateien, die nicht aus Tabellenkalkulationen stammen, sind Anführungszeichen Text.</translation>
    </message>
    <message>
        <source>Number of columns</source>
        <translation>Anzahl der Spalten</translation>
    </message>
    <message>
        <source>0 allows any number.</source>
        <translation>0 erlaubt jede Anzahl.</translation>
    </message>
    <message>
        <source>Names of the columns</source>
        <translation>Namen der Spalten</translation>
    </message>
    <message>
        <source>In their order, separated by commas. Files with other columns fail.</source>
        <translation>In ihrer Reihenfolge, durch Kommas getrennt. Dateien mit anderen Spalten schlagen fehl.</translation>
    </message>
    <message>
        <source>Width</source>
        <translation>Breite</translation>
    </message>
    <message>
        <source>Height</source>
        <translation>Höhe</translation>
    </message>
    <message>
        <source>Color mode</source>
        <translation>Farbmodus</translation>
    </message>
    <message>
        <source>Frames</source>
        <translation>Einzelbilder</translation>
    </message>
    <message>
        <source>Taken</source>
        <translation>Aufgenommen</translation>
    </message>
    <message>
        <source>Orientation</source>
        <translation>Ausrichtung</translation>
    </message>
    <message>
        <source>Camera</source>
        <translation>Kamera</translation>
    </message>
    <message>
        <source>Decode the picture</source>
        <translation>Bild dekodieren</translation>
    </message>
    <message>
        <source>Finds pictures that are incomplete or damaged. Without it, only the header is read.</source>
        <translation>Findet unvollständige und beschädigte Bilder. Sonst wird nur der Kopf der Datei gelesen.</translation>
    </message>
    <message>
        <source>Largest picture in megapixels</source>
        <translation>Größtes Bild in Megapixeln</translation>
    </message>
    <message>
        <source>Larger pictures fail without being decoded, which would take too much memory.</source>
        <translation>Größere Bilder schlagen fehl, ohne dekodiert zu werden, da dies zu viel Speicher bräuchte.</translation>
    </message>
    <message>
        <source>Picture</source>
        <translation>Bild</translation>
    </message>
    <message>
        <source>Pages</source>
        <translation>Seiten</translation>
    </message>
    <message>
        <source>Words</source>
        <translation>Wörter</translation>
    </message>
    <message>
        <source>Commands</source>
        <translation>Befehle</translation>
    </message>
    <message>
        <source>A command runs a program on this computer for each file. Choose it under Process As. Only you decide what is run: neither the list nor a message contains a command.</source>
        <translation>Ein Befehl führt für jede Datei ein Programm auf diesem Computer aus. Wählen Sie ihn unter „Verarbeiten als“. Nur Sie entscheiden, was ausgeführt wird: Weder die Liste noch eine Nachricht enthält einen Befehl.</translation>
    </message>
    <message>
        <source>Title</source>
        <translation>Titel</translation>
    </message>
    <message>
        <source>What it runs</source>
        <translation>Was er ausführt</translation>
    </message>
    <message>
        <source>&amp;Add…</source>
        <translation>&amp;Hinzufügen…</translation>
    </message>
    <message>
        <source>&amp;Duplicate…</source>
        <translation>&amp;Duplizieren…</translation>
    </message>
    <message>
        <source>&amp;Try on One File…</source>
        <translation>An &amp;einer Datei probieren…</translation>
    </message>
    <message>
        <source>&amp;Import…</source>
        <translation>&amp;Importieren…</translation>
    </message>
    <message>
        <source>E&amp;xport…</source>
        <translation>E&amp;xportieren…</translation>
    </message>
    <message>
        <source>&amp;Use for New Files</source>
        <translation>Für &amp;neue Dateien verwenden</translation>
    </message>
    <message>
        <source>Suggested, since the programs are installed:</source>
        <translation>Vorschläge, da diese Programme installiert sind:</translation>
    </message>
    <message>
        <source>Add “{title}”</source>
        <translation>„{title}“ hinzufügen</translation>
    </message>
    <message>
        <source>Remove Command</source>
        <translation>Befehl entfernen</translation>
    </message>
    <message>
        <source>Remove the command “{title}”?</source>
        <translation>Den Befehl „{title}“ entfernen?</translation>
    </message>
    <message>
        <source>Files that wait for it stay on the list. Export it first to keep a copy.</source>
        <translation>Dateien, die auf ihn warten, bleiben in der Liste. Exportieren Sie ihn vorher, um eine Kopie zu behalten.</translation>
    </message>
    <message>
        <source>Choose a File to Try “{title}” on</source>
        <translation>Datei auswählen, an der „{title}“ probiert wird</translation>
    </message>
    <message>
        <source>Import Commands</source>
        <translation>Befehle importieren</translation>
    </message>
    <message>
        <source>Commands (*.toml)</source>
        <translation>Befehle (*.toml)</translation>
    </message>
    <message>
        <source>Export Command</source>
        <translation>Befehl exportieren</translation>
    </message>
    <message>
        <source>Author</source>
        <translation>Autor</translation>
    </message>
    <message>
        <source>Archive test (zip, tar, gzip, …)</source>
        <translation>Archivprüfung (zip, tar, gzip, …)</translation>
    </message>
    <message>
        <source>Entries</source>
        <translation>Einträge</translation>
    </message>
    <message>
        <source>Unpacked size</source>
        <translation>Entpackte Größe</translation>
    </message>
    <message>
        <source>Ratio</source>
        <translation>Verhältnis</translation>
    </message>
    <message>
        <source>Encrypted</source>
        <translation>Verschlüsselt</translation>
    </message>
    <message>
        <source>Bad entries</source>
        <translation>Fehlerhafte Einträge</translation>
    </message>
    <message>
        <source>First bad entry</source>
        <translation>Erster fehlerhafter Eintrag</translation>
    </message>
    <message>
        <source>Untested entries</source>
        <translation>Ungeprüfte Einträge</translation>
    </message>
    <message>
        <source>Unsafe entries</source>
        <translation>Unsichere Einträge</translation>
    </message>
    <message>
        <source>Test the content</source>
        <translation>Inhalt prüfen</translation>
    </message>
    <message>
        <source>Unpacks everything, without writing it.</source>
        <translation>Entpackt alles, ohne es zu schreiben.</translation>
    </message>
    <message>
        <source>Archives with bad entries</source>
        <translation>Archive mit fehlerhaften Einträgen</translation>
    </message>
    <message>
        <source>Fail</source>
        <translation>Fehlschlagen</translation>
    </message>
    <message>
        <source>Only report</source>
        <translation>Nur melden</translation>
    </message>
    <message>
        <source>Bad entries can be counted in zip files. Other archives always fail: the rest can&apos;t be read.</source>
        <translation>In Zip-Dateien können fehlerhafte Einträge gezählt werden. Andere Archive schlagen immer fehl: Der Rest ist nicht lesbar.</translation>
    </message>
    <message>
        <source>Archives with unsafe entries</source>
        <translation>Archive mit unsicheren Einträgen</translation>
    </message>
    <message>
        <source>Unsafe are devices, and names and links that lead out of the folder that is unpacked to.</source>
        <translation>Unsicher sind Geräte sowie Namen und Verknüpfungen, die aus dem Ordner herausführen, in den entpackt wird.</translation>
    </message>
    <message>
        <source>Most entries</source>
        <translation>Höchste Anzahl der Einträge</translation>
    </message>
    <message>
        <source>Highest ratio</source>
        <translation>Höchstes Verhältnis</translation>
    </message>
    <message>
        <source>Archives that unpack to more times their size fail, from 100 MB on.</source>
        <translation>Archive, die entpackt mehr als so viel Mal so groß sind, schlagen ab 100 MB fehl.</translation>
    </message>
    <message>
        <source>Largest unpacked size in GB</source>
        <translation>Größte entpackte Größe in GB</translation>
    </message>
    <message>
        <source>Damaged</source>
        <translation>Beschädigt</translation>
    </message>
    <message>
        <source>PDF version</source>
        <translation>PDF-Version</translation>
    </message>
    <message>
        <source>Count the words</source>
        <translation>Wörter zählen</translation>
    </message>
    <message>
        <source>Count words up to this number of pages</source>
        <translation>Wörter bis zu dieser Seitenzahl zählen</translation>
    </message>
    <message>
        <source>For longer documents, there is no number of words.</source>
        <translation>Für längere Dokumente gibt es keine Wörterzahl.</translation>
    </message>
    <message>
        <source>PDF document</source>
        <translation>PDF-Dokument</translation>
    </message>
    <message>
        <source>{library} is not installed. Install it with: {command}</source>
        <translation>{library} ist nicht installiert. Installieren mit: {command}</translation>
    </message>
    <message>
        <source>Exit code</source>
        <translation>Exit-Code</translation>
    </message>
    <message>
        <source>Last line printed</source>
        <translation>Letzte ausgegebene Zeile</translation>
    </message>
    <message>
        <source>New Command</source>
        <translation>Neuer Befehl</translation>
    </message>
    <message>
        <source>Copy of a Command</source>
        <translation>Kopie eines Befehls</translation>
    </message>
    <message>
        <source>Edit Command</source>
        <translation>Befehl bearbeiten</translation>
    </message>
    <message>
        <source>Copy of {title}</source>
        <translation>Kopie von {title}</translation>
    </message>
    <message>
        <source>Tit&amp;le</source>
        <translation>T&amp;itel</translation>
    </message>
    <message>
        <source>Files, rules and the command line refer to it by this name, so it stays the same.</source>
        <translation>Dateien, Regeln und die Befehlszeile benutzen diesen Namen, deshalb bleibt er gleich.</translation>
    </message>
    <message>
        <source>&amp;Name</source>
        <translation>&amp;Name</translation>
    </message>
    <message>
        <source>convert, or paste a whole command line</source>
        <translation>convert, oder eine ganze Befehlszeile einfügen</translation>
    </message>
    <message>
        <source>Choose the program</source>
        <translation>Programm auswählen</translation>
    </message>
    <message>
        <source>&amp;Program</source>
        <translation>&amp;Programm</translation>
    </message>
    <message>
        <source>&amp;Arguments</source>
        <translation>&amp;Argumente</translation>
    </message>
    <message>
        <source>Runs</source>
        <translation>Führt aus</translation>
    </message>
    <message>
        <source>Output</source>
        <translation>Ausgabe</translation>
    </message>
    <message>
        <source>The program writes no files</source>
        <translation>Das Programm schreibt keine Dateien</translation>
    </message>
    <message>
        <source>Beside each file, in a folder named</source>
        <translation>Neben jeder Datei, in einem Ordner namens</translation>
    </message>
    <message>
        <source>In another folder</source>
        <translation>In einem anderen Ordner</translation>
    </message>
    <message>
        <source>&amp;Output folder</source>
        <translation>Aus&amp;gabeordner</translation>
    </message>
    <message>
        <source>Keep it, and number the new one</source>
        <translation>Behalten und die neue nummerieren</translation>
    </message>
    <message>
        <source>Replace it</source>
        <translation>Ersetzen</translation>
    </message>
    <message>
        <source>&amp;If a file exists</source>
        <translation>&amp;Wenn es eine Datei schon gibt</translation>
    </message>
    <message>
        <source>Offered for</source>
        <translation>Angeboten für</translation>
    </message>
    <message>
        <source>*.png; *.jpg</source>
        <translation>*.png; *.jpg</translation>
    </message>
    <message>
        <source>Nothing: for all files.</source>
        <translation>Leer: für alle Dateien.</translation>
    </message>
    <message>
        <source>&amp;More Options</source>
        <translation>&amp;Mehr Optionen</translation>
    </message>
    <message>
        <source>Numbers with commas between them.</source>
        <translation>Zahlen, durch Kommas getrennt.</translation>
    </message>
    <message>
        <source>Exit codes of success</source>
        <translation>Exit-Codes bei Erfolg</translation>
    </message>
    <message>
        <source>Success with a warning</source>
        <translation>Erfolg mit Warnung</translation>
    </message>
    <message>
        <source>Try again later</source>
        <translation>Später erneut versuchen</translation>
    </message>
    <message>
        <source>Limits</source>
        <translation>Grenzen</translation>
    </message>
    <message>
        <source>Time for a file</source>
        <translation>Zeit für eine Datei</translation>
    </message>
    <message>
        <source> MB</source>
        <comment>megabytes, after a number</comment>
        <translation> MB</translation>
    </message>
    <message>
        <source>Time without output</source>
        <translation>Zeit ohne Ausgabe</translation>
    </message>
    <message>
        <source>Such as: Pictures to WebP</source>
        <translation>Zum Beispiel: Bilder in WebP umwandeln</translation>
    </message>
    <message>
        <source>No limit</source>
        <translation>Keine Grenze</translation>
    </message>
    <message>
        <source>Size of its files</source>
        <translation>Größe seiner Dateien</translation>
    </message>
    <message>
        <source>Environment</source>
        <translation>Umgebung</translation>
    </message>
    <message>
        <source>Names of variables that the program gets in addition. It never gets credentials of AWS.</source>
        <translation>Namen von Variablen, die das Programm zusätzlich erhält. Zugangsdaten für AWS erhält es nie.</translation>
    </message>
    <message>
        <source>&amp;Variables</source>
        <translation>&amp;Variablen</translation>
    </message>
    <message>
        <source>Choose the Program</source>
        <translation>Programm auswählen</translation>
    </message>
    <message>
        <source>output</source>
        <comment>name of a folder</comment>
        <translation>Ausgabe</translation>
    </message>
    <message>
        <source>Write whole numbers, with commas between them.</source>
        <translation>Geben Sie ganze Zahlen ein, durch Kommas getrennt.</translation>
    </message>
    <message>
        <source>Type a name.</source>
        <translation>Geben Sie einen Namen ein.</translation>
    </message>
    <message>
        <source>Type or choose a program.</source>
        <translation>Geben Sie ein Programm ein, oder wählen Sie eines aus.</translation>
    </message>
    <message>
        <source>There is already a command of this name.</source>
        <translation>Es gibt schon einen Befehl mit diesem Namen.</translation>
    </message>
    <message>
        <source>Type a folder.</source>
        <translation>Geben Sie einen Ordner ein.</translation>
    </message>
    <message>
        <source>Output files</source>
        <translation>Ausgabedateien</translation>
    </message>
    <message>
        <source>It can&apos;t be read: {why}.</source>
        <translation>Es kann nicht gelesen werden: {why}.</translation>
    </message>
    <message>
        <source>It is too large for a plug-in.</source>
        <translation>Es ist zu groß für ein Plug-in.</translation>
    </message>
    <message>
        <source>The file of {module} can&apos;t be found.</source>
        <translation>Die Datei von {module} wurde nicht gefunden.</translation>
    </message>
    <message>
        <source>It does not describe itself.</source>
        <translation>Es beschreibt sich nicht.</translation>
    </message>
    <message>
        <source>It is made for version {version} of the interface; this is version {own}.</source>
        <translation>Es ist für Version {version} der Schnittstelle gemacht; dies ist Version {own}.</translation>
    </message>
    <message>
        <source>Its name is not valid: it needs small letters, digits, hyphens and underscores.</source>
        <translation>Sein Name ist ungültig: Er besteht aus Kleinbuchstaben, Ziffern, Binde- und Unterstrichen.</translation>
    </message>
    <message>
        <source>There is another processor with the name “{name}”.</source>
        <translation>Es gibt eine andere Verarbeitung mit dem Namen „{name}“.</translation>
    </message>
    <message>
        <source>Its description is not valid: {why}.</source>
        <translation>Seine Beschreibung ist ungültig: {why}.</translation>
    </message>
    <message>
        <source>A plug-in can do anything that you can do on this computer: read, change and send all your files. Allow only code that you have read, or whose author you trust.</source>
        <translation>Ein Plug-in kann auf diesem Computer alles tun, was Sie tun können: alle Ihre Dateien lesen, ändern und verschicken. Erlauben Sie nur Code, den Sie gelesen haben oder dessen Autor Sie vertrauen.</translation>
    </message>
    <message>
        <source>There are several plug-ins “{name}”: give the whole path.</source>
        <translation>Es gibt mehrere Plug-ins „{name}“: Geben Sie den ganzen Pfad an.</translation>
    </message>
    <message>
        <source>There is no plug-in “{name}”. Plug-ins are in the folder {folder}.</source>
        <translation>Es gibt kein Plug-in „{name}“. Plug-ins liegen im Ordner {folder}.</translation>
    </message>
    <message>
        <source>The plug-in has changed in the meantime. Look at it again.</source>
        <translation>Das Plug-in hat sich inzwischen geändert. Sehen Sie es sich noch einmal an.</translation>
    </message>
    <message>
        <source>Making the column fast…</source>
        <translation>Spalte wird beschleunigt…</translation>
    </message>
    <message>
        <source>Removing the index of the column…</source>
        <translation>Index der Spalte wird entfernt…</translation>
    </message>
    <message>
        <source>Allowed</source>
        <translation>Erlaubt</translation>
    </message>
    <message>
        <source>Changed since it was allowed, so it is not used</source>
        <translation>Geändert, seit es erlaubt wurde, und darum nicht verwendet</translation>
    </message>
    <message>
        <source>Not allowed</source>
        <translation>Nicht erlaubt</translation>
    </message>
    <message>
        <source>Plug-ins</source>
        <translation>Plug-ins</translation>
    </message>
    <message>
        <source>A plug-in is a processor that somebody else has written, as a Python file in the plug-in folder.</source>
        <translation>Ein Plug-in ist eine Verarbeitung, die jemand anderes geschrieben hat, als Python-Datei im Plug-in-Ordner.</translation>
    </message>
    <message>
        <source>There are no plug-ins.</source>
        <translation>Es gibt keine Plug-ins.</translation>
    </message>
    <message>
        <source>&amp;Look Again</source>
        <translation>&amp;Erneut suchen</translation>
    </message>
    <message>
        <source>{title} ({name}), version {version}</source>
        <translation>{title} ({name}), Version {version}</translation>
    </message>
    <message>
        <source>SHA-256: {digest}</source>
        <translation>SHA-256: {digest}</translation>
    </message>
    <message>
        <source>It can&apos;t be used: {why}</source>
        <translation>Es kann nicht verwendet werden: {why}</translation>
    </message>
    <message>
        <source>Stop Using</source>
        <translation>Nicht mehr verwenden</translation>
    </message>
    <message>
        <source>Allow…</source>
        <translation>Erlauben…</translation>
    </message>
    <message>
        <source>Allow Plug-in</source>
        <translation>Plug-in erlauben</translation>
    </message>
    <message>
        <source>Allow “{name}” to be used on this computer?</source>
        <translation>Darf „{name}“ auf diesem Computer verwendet werden?</translation>
    </message>
    <message>
        <source>&amp;Allow</source>
        <translation>&amp;Erlauben</translation>
    </message>
    <message>
        <source>“{name}” can&apos;t be watched now</source>
        <translation>„{name}“ kann derzeit nicht überwacht werden</translation>
    </message>
    <message>
        <source>Watched &amp;Folders…</source>
        <translation>Überwachte &amp;Ordner…</translation>
    </message>
    <message>
        <source>Folders are no longer watched because of an error in Filemill. See the log for details.</source>
        <translation>Ordner werden wegen eines Fehlers in Filemill nicht mehr überwacht. Einzelheiten stehen im Protokoll.</translation>
    </message>
    <message>
        <source>Watched Folders</source>
        <translation>Überwachte Ordner</translation>
    </message>
    <message>
        <source>State</source>
        <translation>Zustand</translation>
    </message>
    <message>
        <source>Files added</source>
        <translation>Hinzugefügt</translation>
    </message>
    <message>
        <source>&amp;Edit…</source>
        <translation>&amp;Bearbeiten…</translation>
    </message>
    <message>
        <source>&amp;Stop Watching</source>
        <translation>Nicht &amp;mehr überwachen</translation>
    </message>
    <message>
        <source>New files in these folders are added to the list while Filemill is running.</source>
        <translation>Neue Dateien in diesen Ordnern werden zur Liste hinzugefügt, solange Filemill läuft.</translation>
    </message>
    <message>
        <source>No folder is watched. New files in a watched folder are added to the list by themselves.</source>
        <translation>Es wird kein Ordner überwacht. Neue Dateien in einem überwachten Ordner werden von selbst zur Liste hinzugefügt.</translation>
    </message>
    <message>
        <source>&amp;Resume</source>
        <translation>&amp;Fortsetzen</translation>
    </message>
    <message>
        <source>Watching</source>
        <translation>Wird überwacht</translation>
    </message>
    <message numerus="yes">
        <source>%Ln new file(s) may still be changing</source>
        <translation>
            <numerusform>%Ln neue Datei ändert sich möglicherweise noch</numerusform>
            <numerusform>%Ln neue Dateien ändern sich möglicherweise noch</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln new file(s) can&apos;t be opened yet</source>
        <translation>
            <numerusform>%Ln neue Datei kann noch nicht geöffnet werden</numerusform>
            <numerusform>%Ln neue Dateien können noch nicht geöffnet werden</numerusform>
        </translation>
    </message>
    <message>
        <source>Edit Watched Folder</source>
        <translation>Überwachten Ordner bearbeiten</translation>
    </message>
    <message>
        <source>Watch Folder</source>
        <translation>Ordner überwachen</translation>
    </message>
    <message>
        <source>&amp;Save</source>
        <translation>&amp;Speichern</translation>
    </message>
    <message>
        <source>&amp;Watch</source>
        <translation>Über&amp;wachen</translation>
    </message>
    <message>
        <source>&amp;Browse…</source>
        <translation>&amp;Durchsuchen…</translation>
    </message>
    <message>
        <source> s</source>
        <comment>seconds, after a number</comment>
        <translation> s</translation>
    </message>
    <message>
        <source>&amp;Add the files that are already in the folder</source>
        <translation>Dateien &amp;hinzufügen, die bereits im Ordner sind</translation>
    </message>
    <message>
        <source>&amp;Folder</source>
        <translation>O&amp;rdner</translation>
    </message>
    <message>
        <source>A file is added once it has not changed for this time and no program keeps it from being opened.</source>
        <translation>Eine Datei wird hinzugefügt, sobald sie sich so lange nicht geändert hat und kein Programm verhindert, dass sie geöffnet wird.</translation>
    </message>
    <message>
        <source>Unchanged fo&amp;r</source>
        <translation>Unverä&amp;ndert seit</translation>
    </message>
    <message>
        <source>Choose a folder.</source>
        <translation>Wählen Sie einen Ordner.</translation>
    </message>
    <message>
        <source>There is no such folder, or its disk or network share does not respond.</source>
        <translation>Diesen Ordner gibt es nicht, oder sein Datenträger oder seine Netzwerkfreigabe antwortet nicht.</translation>
    </message>
    <message>
        <source>The full path of the file</source>
        <translation>Der vollständige Pfad der Datei</translation>
    </message>
    <message>
        <source>The name of the file, with its extension</source>
        <translation>Der Name der Datei, mit Endung</translation>
    </message>
    <message>
        <source>The name of the file without its extension</source>
        <translation>Der Name der Datei ohne Endung</translation>
    </message>
    <message>
        <source>The extension of the file, without the dot</source>
        <translation>Die Endung der Datei, ohne Punkt</translation>
    </message>
    <message>
        <source>The folder that contains the file</source>
        <translation>Der Ordner, in dem die Datei liegt</translation>
    </message>
    <message>
        <source>An empty folder for what the program writes</source>
        <translation>Ein leerer Ordner für das, was das Programm schreibt</translation>
    </message>
    <message>
        <source>The ID of the file on the list</source>
        <translation>Die Kennung der Datei in der Liste</translation>
    </message>
    <message>
        <source>(empty)</source>
        <translation>(leer)</translation>
    </message>
    <message>
        <source>Argument</source>
        <translation>Argument</translation>
    </message>
    <message>
        <source>Arguments</source>
        <translation>Argumente</translation>
    </message>
    <message>
        <source>Each line is one argument, exactly as the program gets it.</source>
        <translation>Jede Zeile ist ein Argument, genau wie das Programm es erhält.</translation>
    </message>
    <message>
        <source>A&amp;dd</source>
        <translation>&amp;Hinzufügen</translation>
    </message>
    <message>
        <source>&amp;Remove</source>
        <translation>En&amp;tfernen</translation>
    </message>
    <message>
        <source>Move &amp;Up</source>
        <translation>Nach &amp;oben</translation>
    </message>
    <message>
        <source>Move Do&amp;wn</source>
        <translation>Nach &amp;unten</translation>
    </message>
    <message>
        <source>Insert {placeholder}</source>
        <translation>{placeholder} einfügen</translation>
    </message>
    <message numerus="yes">
        <source>Add %Ln command(s)? (It|They) will run on this computer with your rights. Add only what you trust.</source>
        <translation>
            <numerusform>%Ln Befehl hinzufügen? Er wird auf diesem Computer mit Ihren Rechten ausgeführt. Fügen Sie nur hinzu, wem Sie vertrauen.</numerusform>
            <numerusform>%Ln Befehle hinzufügen? Sie werden auf diesem Computer mit Ihren Rechten ausgeführt. Fügen Sie nur hinzu, wem Sie vertrauen.</numerusform>
        </translation>
    </message>
    <message>
        <source>What the commands run</source>
        <translation>Was die Befehle ausführen</translation>
    </message>
    <message>
        <source>&amp;Add</source>
        <translation>&amp;Hinzufügen</translation>
    </message>
    <message>
        <source>▲ Replaces the command of this name.</source>
        <translation>▲ Ersetzt den Befehl mit diesem Namen.</translation>
    </message>
    <message>
        <source>▲ Program: {program}, which is not installed</source>
        <translation>▲ Programm: {program}, das nicht installiert ist</translation>
    </message>
    <message>
        <source>Program: {program}</source>
        <translation>Programm: {program}</translation>
    </message>
    <message>
        <source>Command: {command}</source>
        <translation>Befehl: {command}</translation>
    </message>
    <message>
        <source>Writes into: {folder}</source>
        <translation>Schreibt nach: {folder}</translation>
    </message>
    <message>
        <source>Replaces files there that have the same names.</source>
        <translation>Ersetzt dort Dateien mit denselben Namen.</translation>
    </message>
    <message>
        <source>Gets the variables: {names}</source>
        <translation>Erhält die Variablen: {names}</translation>
    </message>
    <message>
        <source>Offered for: {types}</source>
        <translation>Angeboten für: {types}</translation>
    </message>
    <message>
        <source>Try “{title}”</source>
        <translation>„{title}“ probieren</translation>
    </message>
    <message>
        <source>The command is running</source>
        <translation>Der Befehl läuft</translation>
    </message>
    <message>
        <source>What the command has done</source>
        <translation>Was der Befehl getan hat</translation>
    </message>
    <message>
        <source>Files that it has written</source>
        <translation>Dateien, die er geschrieben hat</translation>
    </message>
    <message>
        <source>&amp;Open</source>
        <translation>Ö&amp;ffnen</translation>
    </message>
    <message>
        <source>&amp;Files that it has written, which are deleted when you close this</source>
        <translation>&amp;Dateien, die er geschrieben hat; sie werden beim Schließen gelöscht</translation>
    </message>
    <message>
        <source>&amp;Stop</source>
        <translation>&amp;Anhalten</translation>
    </message>
    <message numerus="yes">
        <source>The command has been running for %Ln second(s).</source>
        <translation>
            <numerusform>Der Befehl läuft seit %Ln Sekunde.</numerusform>
            <numerusform>Der Befehl läuft seit %Ln Sekunden.</numerusform>
        </translation>
    </message>
    <message>
        <source>▲ The file would be Processed, but what the command has written would be deleted, since the command has no output folder. Choose one, or use {out} in an argument.</source>
        <translation>▲ Die Datei würde verarbeitet, aber was der Befehl geschrieben hat, würde gelöscht, denn der Befehl hat keinen Ausgabeordner. Wählen Sie einen, oder verwenden Sie {out} in einem Argument.</translation>
    </message>
    <message>
        <source>✓ The file would be Processed.</source>
        <translation>✓ Die Datei wäre „Verarbeitet“.</translation>
    </message>
    <message>
        <source>▲ The file would be Failed: {reason}</source>
        <translation>▲ Die Datei wäre „Fehlgeschlagen“: {reason}</translation>
    </message>
    <message>
        <source>Command</source>
        <translation>Befehl</translation>
    </message>
    <message>
        <source>Exit code {code} after {seconds} s</source>
        <translation>Exit-Code {code} nach {seconds} s</translation>
    </message>
    <message>
        <source>Standard output</source>
        <translation>Standardausgabe</translation>
    </message>
    <message>
        <source>Standard error</source>
        <translation>Standardfehlerausgabe</translation>
    </message>
    <message>
        <source>The command was stopped.</source>
        <translation>Der Befehl wurde angehalten.</translation>
    </message>
</context>
</TS>
